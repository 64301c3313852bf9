/** Bytes; it is visible ASCII, so characters too. */
const MAX_TENANT_BYTES = 256

/** Visible ASCII with single spaces inside: a field value that no recipient trims, folds or splits. */
const TENANT = /^[!-~]+(?: [!-~]+)*$/

/** Whether a text can be stated to upstreams as the tenant, by whatever credential. */
export function isTenantText(text: string): boolean {
  return text.length <= MAX_TENANT_BYTES && TENANT.test(text)
}
