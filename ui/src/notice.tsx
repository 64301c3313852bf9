export interface NoticeProps {
  /** Null: nothing to say. */
  readonly text: string | null
  readonly onDismiss: () => void
}

/** What came of something. Its region is there before it speaks: screen readers do not hear one that comes with its text. */
export function Notice({ text, onDismiss }: NoticeProps) {
  return (
    <div role="status" aria-live="polite" class="notices">
      {text !== null && (
        <p class="notice">
          {text}{' '}
          <button type="button" class="link" onClick={onDismiss}>
            Dismiss
          </button>
        </p>
      )}
    </div>
  )
}
