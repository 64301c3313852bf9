/** Longer lines are cut: the text comes from anywhere. UTF-16 units. */
const LINE_MAX = 4096

/** Makes lines of text that arrives in pieces. A line waits for its newline, or until it is too long. */
export class LineSplitter {
  readonly #take: (line: string) => void
  #rest = ''

  constructor(take: (line: string) => void) {
    this.#take = take
  }

  push(text: string): void {
    const lines = (this.#rest + text).split('\n')
    this.#rest = lines.pop() ?? ''
    for (const line of lines) this.#take(line.slice(0, LINE_MAX))
    if (this.#rest.length < LINE_MAX) return
    this.#take(this.#rest.slice(0, LINE_MAX))
    this.#rest = ''
  }
}
