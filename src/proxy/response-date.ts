/** The Date field line (RFC 9110 section 6.6.1), made once a second. */
export class ResponseDate {
  readonly #wallMs: () => number
  #second = -1
  #line = ''

  constructor(wallMs: () => number) {
    this.#wallMs = wallMs
  }

  line(): string {
    const second = Math.floor(this.#wallMs() / 1_000)
    if (second !== this.#second) {
      this.#second = second
      this.#line = `Date: ${new Date(second * 1_000).toUTCString()}\r\n`
    }
    return this.#line
  }
}
