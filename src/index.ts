/** The published entry: what a user's own policy and tools are typed against. */
export type {
  AdminConfig,
  Config,
  CorsConfig,
  IdentityConfig,
  JwtConfig,
  ListenConfig,
  LogConfig,
  LogLevel,
  RouteConfig,
  ShutdownConfig,
  UpstreamConfig,
} from './config/config.ts'
export type { GatewayConfig } from './config/file/schema.ts'
export { defineGateway } from './config/typescript/define-gateway.ts'
export type { JwtAlgorithm } from './jwt/issuer.ts'
export type {
  PolicyDefinition,
  PolicyExchange,
  PolicyHead,
  PolicyInstance,
  PolicyLogLevel,
  PolicyParts,
  PolicySubject,
  SettledExchange,
} from './policies/user/define-policy.ts'
export { definePolicy } from './policies/user/define-policy.ts'
export type { PolicyVerdict } from './policies/user/policy-verdict.ts'
export { answer, refuse, unavailable } from './policies/user/policy-verdict.ts'
export type { PolicySchema, StandardSchema } from './policies/user/standard-schema.ts'
export type { Answer } from './proxy/answer.ts'
export type { Exchange, Identity, RequestHead } from './proxy/exchange.ts'
export type { Failure, FailureCode, FailureSide, Replay } from './proxy/failure.ts'
export type { Policy, Verdict } from './proxy/policy.ts'
