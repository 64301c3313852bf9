/** Meant for one connection only (RFC 9110 section 7.6.1): never passed on, made anew where needed. */
export const HOP_BY_HOP = [
  'connection',
  'keep-alive',
  'proxy-connection',
  'proxy-authenticate',
  'proxy-authorization',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
] as const

/** Request fields the gateway itself states or takes away, whatever the policies. */
export const GATEWAY_REQUEST_FIELDS = [
  'x-request-id',
  'x-process-time',
  'x-forwarded-for',
  'x-forwarded-proto',
  'x-forwarded-host',
] as const

/** The gateway's own where it makes traces (W3C Trace Context); where it makes none they pass like any other. */
export const TRACE_FIELDS = ['traceparent', 'tracestate'] as const

/** Believed from a trusted peer only. */
export const PEER_FIELDS = ['x-forwarded-port', 'x-real-ip', 'forwarded'] as const

/** Response fields that the gateway states. */
export const GATEWAY_RESPONSE_FIELDS = ['x-request-id', 'x-process-time'] as const

export const CORS_FIELDS = [
  'access-control-allow-origin',
  'access-control-allow-credentials',
  'access-control-allow-methods',
  'access-control-allow-headers',
  'access-control-expose-headers',
  'access-control-max-age',
  'access-control-allow-private-network',
] as const

/** A nomination of these in Connection is ignored: taking them away would change what the request means. */
export const NEVER_NOMINATED = ['authorization', 'host', 'cache-control', 'cookie', 'expect', 'via'] as const
