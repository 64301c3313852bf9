import type { ComponentChildren } from 'preact'

export interface Column<Row> {
  readonly title: string
  readonly kind?: 'text' | 'number'
  readonly cell: (row: Row) => ComponentChildren
}

export interface TableProps<Row> {
  readonly caption: string
  readonly columns: readonly Column<Row>[]
  readonly rows: readonly Row[]
  readonly keyOf: (row: Row) => string
  /** Said where there are no rows. */
  readonly empty: string
}

/** A table with headers; the first column names its row. On a narrow screen it scrolls by itself, also by keyboard. */
export function Table<Row>({ caption, columns, rows, keyOf, empty }: TableProps<Row>) {
  if (rows.length === 0) return <p class="quiet">{empty}</p>
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reached by keyboard.
    <section class="scroll" tabIndex={0} aria-label={`${caption}: table`}>
      <table>
        <caption class="unseen">{caption}</caption>
        <thead>
          <tr>
            {columns.map(({ title, kind }) => (
              <th key={title} scope="col" class={kind ?? 'text'}>
                {title}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {rows.map((row) => (
            <tr key={keyOf(row)}>
              {columns.map(({ title, kind, cell }, index) =>
                index === 0 ? (
                  <th key={title} scope="row">
                    {cell(row)}
                  </th>
                ) : (
                  <td key={title} class={kind ?? 'text'}>
                    {cell(row)}
                  </td>
                ),
              )}
            </tr>
          ))}
        </tbody>
      </table>
    </section>
  )
}

/** A word with a sign: the colour only repeats it. */
export function Mark({
  tone,
  sign,
  children,
}: {
  readonly tone: 'good' | 'busy' | 'bad'
  readonly sign: string
  readonly children: ComponentChildren
}) {
  return (
    <span class={`mark ${tone}`}>
      <span aria-hidden="true">{sign}</span> {children}
    </span>
  )
}
