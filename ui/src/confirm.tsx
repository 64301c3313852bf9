import type { ComponentChildren } from 'preact'
import { useEffect, useRef, useState } from 'preact/hooks'

export interface ConfirmProps {
  readonly title: string
  readonly text: string
  readonly verb: string
  readonly tone: 'plain' | 'danger'
  readonly onYes: () => Promise<void>
  readonly onClose: () => void
}

/** Asks before something is done; it begins with the answer that does nothing. */
export function Confirm({ title, text, verb, tone, onYes, onClose }: ConfirmProps) {
  const [isBusy, setBusy] = useState(false)
  return (
    <Modal title={title} onClose={onClose}>
      <p>{text}</p>
      <div class="buttons">
        <button type="button" onClick={onClose}>
          Cancel
        </button>
        <button
          type="button"
          class={tone === 'danger' ? 'danger' : 'main'}
          disabled={isBusy}
          onClick={() => {
            setBusy(true)
            void onYes().finally(onClose)
          }}
        >
          {verb}
        </button>
      </div>
    </Modal>
  )
}

export interface ModalProps {
  readonly title: string
  readonly onClose: () => void
  readonly children: ComponentChildren
}

/** The browser's own modal: focus stays within, Escape closes, and focus goes back to where it was. */
export function Modal({ title, onClose, children }: ModalProps) {
  const dialog = useRef<HTMLDialogElement>(null)
  useEffect(() => {
    const before = document.activeElement
    dialog.current?.showModal()
    // The browser gives the focus back when a modal is closed, and to nobody when it is just taken away.
    return () => (before instanceof HTMLElement ? before.focus() : undefined)
  }, [])
  return (
    <dialog ref={dialog} aria-labelledby="modal-title" onClose={onClose}>
      <h2 id="modal-title">{title}</h2>
      {children}
    </dialog>
  )
}
