import type { Head } from '../http1/head.ts'
import type { Route } from './route.ts'

/** A whole compiled config, frozen. An exchange takes it once. */
export interface Snapshot {
  /** Always a route: what is unknown, unsafe or not allowed has one whose last policy refuses. */
  match(head: Head): Route
  /** For what never became a request. */
  readonly unreadable: Route
}
