import type { ComponentChildren } from 'preact'

export interface Column<Row> {
  readonly title: string
  readonly kind?: 'text' | 'number'
  /** `whole`: on a phone it has a line to itself. */
  readonly width?: 'part' | 'whole'
  /** Null: there is nothing to say. */
  readonly cell: (row: Row) => ComponentChildren
}

/** Rows that belong together. */
export interface Group<Row> {
  readonly key: string
  readonly head: ComponentChildren
  readonly rows: readonly Row[]
}

export interface TableProps<Row> {
  readonly caption: string
  readonly columns: readonly Column<Row>[]
  readonly keyOf: (row: Row) => string
  /** One without a head is a plain table. */
  readonly groups: readonly Group<Row>[]
  /** Said where there are no groups. */
  readonly empty: string
}

/** CSS lays rows out as blocks on a phone, which would take from them what they are to a screen reader. */
const ROLES = {
  table: { role: 'table' },
  rows: { role: 'rowgroup' },
  row: { role: 'row' },
  column: { role: 'columnheader', scope: 'col' },
  head: { role: 'rowheader', scope: 'row' },
  groupHead: { role: 'rowheader', scope: 'rowgroup' },
  cell: { role: 'cell' },
} as const

/** A table with headers; the first column names its row. Where it is too wide it scrolls by itself, also by keyboard. */
export function Table<Row>({ caption, columns, groups, keyOf, empty }: TableProps<Row>) {
  if (groups.length === 0) return <p class="quiet">{empty}</p>
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reached by keyboard.
    <section class="scroll" tabIndex={0} aria-label={`${caption}: table`}>
      <table {...ROLES.table}>
        <caption class="unseen">{caption}</caption>
        <thead {...ROLES.rows}>
          <tr {...ROLES.row}>
            {columns.map(({ title, kind }) => (
              <th key={title} {...ROLES.column} class={kind ?? 'text'}>
                {title}
              </th>
            ))}
          </tr>
        </thead>
        {groups.map(({ key, head, rows }) => (
          <tbody key={key} {...ROLES.rows}>
            {head !== null && (
              <tr {...ROLES.row} class="group">
                <th {...ROLES.groupHead} colSpan={columns.length}>
                  {head}
                </th>
              </tr>
            )}
            {rows.map((row) => (
              <Line key={keyOf(row)} row={row} columns={columns} />
            ))}
          </tbody>
        ))}
      </table>
    </section>
  )
}

/** For a table without groups. */
export function oneGroup<Row>(rows: readonly Row[]): readonly Group<Row>[] {
  return rows.length === 0 ? [] : [{ key: 'all', head: null, rows }]
}

function Line<Row>({ row, columns }: { readonly row: Row; readonly columns: readonly Column<Row>[] }) {
  return (
    <tr {...ROLES.row}>
      {columns.map(({ title, kind = 'text', width = 'part', cell }, index) => {
        const value = cell(row)
        if (index === 0) {
          return (
            <th key={title} {...ROLES.head}>
              {value}
            </th>
          )
        }
        return (
          <td
            key={title}
            {...ROLES.cell}
            class={`${kind} ${width} ${value === null ? 'none' : ''}`}
            data-title={title}
          >
            {value ?? '–'}
          </td>
        )
      })}
    </tr>
  )
}

export interface MarkProps {
  readonly tone: 'good' | 'busy' | 'bad'
  readonly sign: string
  readonly children: ComponentChildren
}

/** A word with a sign: the colour only repeats it. */
export function Mark({ tone, sign, children }: MarkProps) {
  return (
    <span class={`mark ${tone}`}>
      <span aria-hidden="true">{sign}</span> {children}
    </span>
  )
}
