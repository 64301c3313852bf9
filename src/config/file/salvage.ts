import type { z } from 'zod'
import { type TokenDocument, tokenSchema } from './identity-schema.ts'
import { type RouteDocument, routeSchema } from './route-schema.ts'
import { type GatewayDocument, gatewaySchema } from './schema.ts'
import { type UpstreamDocument, upstreamSchema } from './upstream-schema.ts'

/** What is left of a document where parts of it are bad, so that the rest can still be judged. */
export interface Salvage {
  /** Bad sections stand here as if they were not written. */
  readonly sections: Omit<GatewayDocument, 'upstreams' | 'routes'>
  /** Null: bad in itself. Its name counts as known. */
  readonly upstreams: ReadonlyMap<string, UpstreamDocument | null>
  readonly routes: readonly (RouteDocument | null)[]
  /** Of `identity.jwt`. */
  readonly tokens: readonly (TokenDocument | null)[]
  /** Sections that are bad. */
  readonly failed: ReadonlySet<string>
}

/** `issues` are all there are; none: everything is there. */
export function judgeBySchema(value: unknown): {
  readonly issues: readonly z.core.$ZodIssue[]
  readonly salvage: Salvage
} {
  const judged = gatewaySchema.safeParse(value)
  if (!judged.success) return { issues: judged.error.issues, salvage: salvageParts(value) }
  const { upstreams, routes, ...sections } = judged.data
  return {
    issues: [],
    salvage: {
      sections,
      upstreams: new Map(Object.entries(upstreams)),
      routes,
      tokens: sections.identity.jwt,
      failed: new Set(),
    },
  }
}

function salvageParts(value: unknown): Salvage {
  const document = isObject(value) ? value : {}
  const failed = new Set<string>()
  const whole: Record<string, unknown> = {}
  for (const [name, schema] of Object.entries(gatewaySchema.shape)) {
    if (name === 'upstreams' || name === 'routes' || document[name] === undefined) continue
    if (schema.safeParse(document[name]).success) whole[name] = document[name]
    else failed.add(name)
  }
  // Only sections that were judged good, and defaults for the others.
  const { upstreams: _upstreams, routes: _routes, ...sections } = gatewaySchema.parse(whole)
  const { upstreams, routes } = document
  return {
    sections,
    upstreams: new Map(
      Object.entries(isObject(upstreams) ? upstreams : {}).map(([name, upstream]) => [
        name,
        upstreamSchema.safeParse(upstream).data ?? null,
      ]),
    ),
    routes: listOf(routes).map((route) => routeSchema.safeParse(route).data ?? null),
    tokens: listOf(isObject(document['identity']) ? document['identity']['jwt'] : []).map(
      (token) => tokenSchema.safeParse(token).data ?? null,
    ),
    failed,
  }
}

function listOf(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : []
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
