/**
 * As much of Go's text/template, with the functions Helm adds, as this project's chart uses. Helm itself is in no
 * registry that the suite may use, so the chart keeps to this, and whatever else a template says is an error here.
 */
import { stringify } from 'yaml'

export type Values = { readonly [name: string]: unknown }

/** By name, what `define` made. */
export type Definitions = Map<string, readonly Node[]>

type Node =
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'print'; readonly pipeline: string }
  | {
      readonly kind: 'if' | 'with'
      readonly pipeline: string
      readonly body: readonly Node[]
      readonly otherwise: readonly Node[]
    }

const ACTION = /\{\{(-?)\s*([\s\S]*?)\s*(-?)\}\}/g
/** A string, a number, a path from the root, the dot, a word. */
const WORD = /"((?:[^"\\]|\\.)*)"|(\d+)|(\.[A-Za-z][\w.]*)|(\.)|([A-Za-z]+)/y

type Operand = { readonly value: unknown } | { readonly call: string }

type Token = { readonly text: string } | { readonly action: string }

/** What stands outside of `define`; what stands inside goes to `definitions`. */
export function parseTemplate(source: string, definitions: Definitions): readonly Node[] {
  const tokens = tokenise(source)

  /** Takes tokens up to an action of `ends`, that included; without any, all. */
  function takeBlock(ends: readonly string[]): { readonly nodes: readonly Node[]; readonly end: string } {
    const nodes: Node[] = []
    for (let token = tokens.shift(); token !== undefined; token = tokens.shift()) {
      if ('text' in token) nodes.push({ kind: 'text', text: token.text })
      else if (ends.includes(token.action)) return { nodes, end: token.action }
      else nodes.push(...takeAction(token.action))
    }
    if (ends.length > 0) throw new Error(`a block has no {{ ${ends.join(' }} or {{ ')} }}`)
    return { nodes, end: '' }
  }

  function takeAction(text: string): readonly Node[] {
    const [, keyword, pipeline = ''] = /^(if|with|define)\s+(.*)$/s.exec(text) ?? []
    if (keyword === 'define') {
      definitions.set(pipeline.slice(1, -1), takeBlock(['end']).nodes)
      return []
    }
    if (keyword !== 'if' && keyword !== 'with') return [{ kind: 'print', pipeline: text }]
    const { nodes, end } = takeBlock(['else', 'end'])
    const otherwise = end === 'else' ? takeBlock(['end']).nodes : []
    return [{ kind: keyword, pipeline, body: nodes, otherwise }]
  }

  return takeBlock([]).nodes
}

function tokenise(source: string): Token[] {
  const tokens: Token[] = []
  let from = 0
  let trims = false
  const text = (end: number, trimsEnd: boolean): void => {
    let piece = source.slice(from, end)
    if (trims) piece = piece.trimStart()
    if (trimsEnd) piece = piece.trimEnd()
    if (piece !== '') tokens.push({ text: piece })
  }
  for (const match of source.matchAll(ACTION)) {
    const [whole, left, action = '', right] = match
    text(match.index, left === '-')
    tokens.push({ action })
    from = match.index + whole.length
    trims = right === '-'
  }
  text(source.length, false)
  return tokens
}

export function renderTemplate(nodes: readonly Node[], root: Values, definitions: Definitions): string {
  return render(nodes, root)

  function render(list: readonly Node[], dot: unknown): string {
    return list
      .map((node) => {
        if (node.kind === 'text') return node.text
        const value = evaluate(node.pipeline, dot)
        if (node.kind === 'print') return print(value)
        if (!isTrue(value)) return render(node.otherwise, dot)
        return render(node.body, node.kind === 'with' ? value : dot)
      })
      .join('')
  }

  function evaluate(pipeline: string, dot: unknown): unknown {
    let piped: readonly unknown[] = []
    for (const command of pipeline.split(/\s\|\s/)) piped = [run(command, dot, piped)]
    return piped[0]
  }

  function run(command: string, dot: unknown, piped: readonly unknown[]): unknown {
    const words = operands(command, dot)
    const [first] = words
    if (first === undefined) throw new Error(`nothing to do in {{ ${command} }}`)
    if (!('call' in first)) {
      if (words.length > 1 || piped.length > 0) throw new Error(`no function: {{ ${command} }}`)
      return first.value
    }
    const given = words.slice(1).map((word) => {
      if ('call' in word) throw new Error(`a function as parameter: {{ ${command} }}`)
      return word.value
    })
    return call(first.call, [...given, ...piped])
  }

  function operands(command: string, dot: unknown): readonly Operand[] {
    const words: Operand[] = []
    const text = command.trim()
    for (let at = 0; at < text.length; ) {
      WORD.lastIndex = at
      const match = WORD.exec(text)
      if (match === null) throw new Error(`not understood: {{ ${command} }}`)
      const [whole, string, number, path, self, name] = match
      if (string !== undefined) words.push({ value: JSON.parse(`"${string}"`) })
      else if (number !== undefined) words.push({ value: Number(number) })
      else if (path !== undefined) words.push({ value: follow(path) })
      else if (self !== undefined) words.push({ value: dot })
      else words.push({ call: name ?? '' })
      at += whole.length
      while (text[at] === ' ') at++
    }
    return words
  }

  /** Strict: a name that values.yaml does not have is a slip, though Helm would print nothing. */
  function follow(path: string): unknown {
    let value: unknown = root
    for (const step of path.slice(1).split('.')) {
      if (typeof value !== 'object' || value === null || !Object.hasOwn(value, step))
        throw new Error(`${path} does not exist`)
      value = (value as Values)[step]
    }
    return value
  }

  function call(name: string, given: readonly unknown[]): unknown {
    const [first, second] = given
    switch (name) {
      case 'include': {
        const body = definitions.get(String(first))
        if (body === undefined) throw new Error(`nothing is defined as ${String(first)}`)
        return render(body, second)
      }
      case 'toYaml':
        return stringify(first, { sortMapEntries: true, lineWidth: 0 }).trimEnd()
      case 'nindent':
        return `\n${indented(String(second), Number(first))}`
      case 'quote':
        return JSON.stringify(print(first))
      case 'default':
        return isTrue(second) ? second : first
      case 'add':
        return given.reduce<number>((sum, value) => sum + Number(value), 0)
      case 'not':
        return !isTrue(first)
      default:
        throw new Error(`unknown function ${name}`)
    }
  }
}

function indented(text: string, spaces: number): string {
  return text
    .split('\n')
    .map((line) => ' '.repeat(spaces) + line)
    .join('\n')
}

function print(value: unknown): string {
  if (typeof value === 'object') throw new Error('maps and lists are printed by toYaml')
  return String(value)
}

/** As Go: empty text, maps and lists, 0, false and nothing are not. */
function isTrue(value: unknown): boolean {
  if (Array.isArray(value)) return value.length > 0
  if (typeof value === 'object' && value !== null) return Object.keys(value).length > 0
  return Boolean(value)
}
