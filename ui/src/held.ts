import { useState } from 'preact/hooks'

export interface Held<Items> {
  /** The newest, or those that were the newest when they began to be held. */
  readonly items: Items
  readonly isHeld: boolean
  readonly release: () => void
  /** For the element that shows them. */
  readonly watch: {
    readonly onPointerEnter: () => void
    readonly onFocusIn: () => void
    readonly onPointerLeave: (event: PointerEvent) => void
    readonly onFocusOut: (event: FocusEvent) => void
  }
}

/** Rows that are pointed at or have the focus must not move away: they stay until they are left, and while `isPinned`. */
export function useHeld<Items>(newest: Items, isPinned: boolean): Held<Items> {
  const [held, setHeld] = useState<{ readonly items: Items } | null>(null)
  const hold = (): void => setHeld((before) => before ?? { items: newest })
  const leave = ({ currentTarget, relatedTarget }: PointerEvent | FocusEvent): void => {
    const shown = currentTarget as HTMLElement // which watches
    const isInside = (node: EventTarget | null): boolean => shown.contains(node as Node | null)
    // A pointer leaves while the focus stays.
    if (isPinned || isInside(relatedTarget) || isInside(document.activeElement)) return
    setHeld(null)
  }
  return {
    items: held === null ? newest : held.items,
    isHeld: held !== null,
    release: () => setHeld(null),
    watch: { onPointerEnter: hold, onFocusIn: hold, onPointerLeave: leave, onFocusOut: leave },
  }
}
