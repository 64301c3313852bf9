/** Variables that are called so hold secrets. */
const SECRET_NAME = /secret|token|key|passw|credential|auth|dsn|redis|database/i

/** Shorter values stand in innocent text. */
const LEAST_LENGTH = 6

/** Makes what comes of the operator's own code fit for a log: one line without the secrets of `env`. */
export function withholder(env: Readonly<Record<string, string | undefined>>): (text: string) => string {
  const secrets = Object.entries(env)
    .filter(([name]) => SECRET_NAME.test(name))
    .flatMap(([, value = '']) => [value, ...value.split('\n')])
    .filter((value) => value.trim().length >= LEAST_LENGTH)
    // The longest first: one may contain another.
    .toSorted((left, right) => right.length - left.length)
  return (text) => {
    const hidden = secrets.reduce((rest, secret) => rest.replaceAll(secret, '(not shown)'), text)
    if (hidden.includes('-----BEGIN')) return '(not shown, it may hold a key)'
    return hidden.replaceAll(/\s*[\r\n]\s*/g, ' ').replaceAll(/\p{Cc}/gu, '\uFFFD')
  }
}
