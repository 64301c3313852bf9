/**
 * Whether an RSA modulus came from the faulty generator of CVE-2017-15361 ("ROCA"; Nemec et al., "The Return of
 * Coppersmith's Attack", CCS 2017, section 2): both its primes, and so their product, are powers of 65537 modulo
 * every small prime. A sound modulus passes all of these tests with a chance of about 2^-28.
 */
export function hasRocaFingerprint(modulus: bigint): boolean {
  return SMALL_PRIMES.every((prime) => isPowerOfGenerator(Number(modulus % BigInt(prime)), prime))
}

const GENERATOR = 65537

/** The odd primes up to 167, those of the shortest keys it made; longer keys used more of them. */
const SMALL_PRIMES: readonly number[] = [
  3, 5, 7, 11, 13, 17, 19, 23, 29, 31, 37, 41, 43, 47, 53, 59, 61, 67, 71, 73, 79, 83, 89, 97, 101, 103, 107,
  109, 113, 127, 131, 137, 139, 149, 151, 157, 163, 167,
]

function isPowerOfGenerator(residue: number, prime: number): boolean {
  let power = 1
  do {
    if (power === residue) return true
    power = (power * GENERATOR) % prime
  } while (power !== 1)
  return false
}
