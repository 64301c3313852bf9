/** Why nobody was let in: the tenant's queue is full, its time is over, or all queues together were too long. */
export type TurnedAway = 'full' | 'late' | 'shed'

/** From a data thread to control. */
export type GateMessage =
  | {
      readonly kind: 'enter'
      /** The thread's own number for it. */
      readonly ticket: number
      /** The upstream's. */
      readonly slot: number
      readonly tenant: string
      readonly weight: number
    }
  /** The client left while it waited. */
  | { readonly kind: 'withdraw'; readonly ticket: number }
  /** A place was given back while somebody waits. */
  | { readonly kind: 'left'; readonly slot: number }

/** From control to a data thread. */
export type SchedulerMessage =
  /** The place is taken in the thread's name. */
  | { readonly kind: 'entered'; readonly ticket: number }
  | { readonly kind: 'turned-away'; readonly ticket: number; readonly why: TurnedAway }
