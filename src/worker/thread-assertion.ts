import { AssertionSigner } from '../assertion/assertion-signer.ts'
import {
  type CompiledSigningKey,
  compileSigningKey,
  type SigningKey,
  signingKeyOf,
} from '../assertion/signing-key.ts'
import type { AssertionConfig } from '../config/config.ts'
import type { Clock } from '../lib/clock.ts'
import { foldName } from '../lib/fold-name.ts'
import { assertionPolicy } from '../policies/assertion.ts'
import type { Policy } from '../proxy/policy.ts'

/** What a data thread signs assertions with: it outlasts configs, and control changes its key. */
export class ThreadAssertion {
  readonly #clock: Clock
  #key: CompiledSigningKey

  /** `key`: for configs that name none. */
  constructor(key: SigningKey, clock: Clock) {
    this.#key = compileSigningKey(key)
    this.#clock = clock
  }

  /** Whatever is signed from now on is signed with this one. */
  replaceKey(key: SigningKey): void {
    this.#key = compileSigningKey(key)
  }

  /**
   * Null where nobody wants assertions. `owned`: fields of the operator's own policies. Throws an Error in the operator's
   * words where one of those is the assertion's.
   */
  compile(config: AssertionConfig | null, owned: ReadonlySet<string>): Policy | null {
    if (config === null) return null
    const { header, issuer, audience, ttlS, key } = config
    if ([...owned].some((name) => foldName(name) === foldName(header))) {
      throw new Error(`a policy of yours owns ${header}, as tenant.assertion does: change one of the two`)
    }
    const own = key === null ? null : compileSigningKey(signingKeyOf(key))
    const signer = new AssertionSigner({
      ...{ issuer, audience, ttlS },
      key: () => own ?? this.#key,
      nowS: () => this.#clock.wallMs() / 1_000,
    })
    return assertionPolicy(header, signer)
  }
}
