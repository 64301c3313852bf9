import { routeSpanText } from '../../src/observe/tracing/exchange-spans.ts'
import { Exchange, type RequestHead } from '../../src/proxy/exchange.ts'
import { UNCHANGED_RESPONSE } from '../../src/proxy/head-plan.ts'
import type { Route } from '../../src/proxy/route.ts'
import { parsedGet } from './parsed-head.ts'

export const REQUEST_ID = 'request-1'
export const CLIENT_IP = '192.0.2.7'

/** A route whose policies own these names and which leads nowhere. */
export function routeOwning(...owned: readonly string[]): Route {
  return {
    name: 'orders',
    policies: [],
    owned: new Set(owned),
    response: UNCHANGED_RESPONSE,
    target: null,
    logText: ',"route":"orders"',
    ...routeSpanText('orders', '/orders/:id'),
    series: 0,
  }
}

/** An exchange that began at 0 ms. */
export function exchangeOf(head: RequestHead = parsedGet('/orders'), route = routeOwning()): Exchange {
  return new Exchange(head, route, CLIENT_IP, 'http', REQUEST_ID, 0)
}
