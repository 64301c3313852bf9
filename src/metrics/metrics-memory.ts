import { COUNTED, ROUTES_AT, ROW_CELLS } from './layout.ts'
import { NameTable } from './name-table.ts'
import {
  clearSketch,
  readSketch,
  readTotals,
  SKETCH_BYTES,
  type SketchMemory,
  sketchMemory,
  TenantSketch,
} from './tenant-sketch.ts'

const HEADER_BYTES = 64
const ROW_BYTES = ROW_CELLS * Float64Array.BYTES_PER_ELEMENT

/**
 * What data threads count, in memory shared with control: a row and a sketch of tenants for each thread, written by it
 * alone and by plain additions, so that counting is never contended; and one more of both, in which control keeps what
 * threads that died had counted. 1.4 MiB a row, of which the system provides what is touched.
 *
 * Cells are Float64: whole up to 2^53, and read whole, for they are aligned and every machine that Node runs on reads
 * eight aligned bytes at once.
 */
export class MetricsMemory {
  readonly names: NameTable
  readonly rows: number
  readonly #memory: SharedArrayBuffer
  readonly #kept: TenantSketch | null

  static create(rows: number): SharedArrayBuffer {
    const byteLength = HEADER_BYTES + NameTable.byteLength + (rows + 1) * (ROW_BYTES + SKETCH_BYTES)
    const memory = new SharedArrayBuffer(byteLength)
    new Int32Array(memory, 0, 1)[0] = rows
    return memory
  }

  /** `owner`: control alone keeps what dead threads counted. */
  constructor(memory: SharedArrayBuffer, owner: 'control' | 'thread') {
    this.#memory = memory
    this.rows = new Int32Array(memory, 0, 1)[0] ?? 0
    this.names = new NameTable(memory, HEADER_BYTES)
    this.#kept = owner === 'control' ? new TenantSketch(this.sketch(this.rows)) : null
  }

  /** A thread's row; number `rows` is of those that died. */
  row(row: number): Float64Array {
    const start = HEADER_BYTES + NameTable.byteLength + row * ROW_BYTES
    return new Float64Array(this.#memory, start, ROW_CELLS)
  }

  sketch(row: number): SketchMemory {
    const start = HEADER_BYTES + NameTable.byteLength + (this.rows + 1) * ROW_BYTES + row * SKETCH_BYTES
    return sketchMemory(this.#memory, start)
  }

  /** For control, when a data thread is gone and before its replacement starts: keeps what it counted. */
  reclaim(row: number): void {
    const dead = this.row(row)
    const kept = this.row(this.rows)
    for (let cell = 0; cell < ROW_CELLS; cell++) {
      const value = dead[cell] as number
      // Writing a zero too would have the system provide memory for it.
      if (value === 0) continue
      if (cell < COUNTED || cell >= ROUTES_AT) kept[cell] = (kept[cell] as number) + value
      dead[cell] = 0
    }
    this.#reclaimTenants(row)
  }

  #reclaimTenants(row: number): void {
    const sketch = this.sketch(row)
    const { requests, refused, ms } = readTotals(sketch)
    for (const tenant of readSketch(sketch)) {
      this.#kept?.add(tenant.tenant, tenant.requests, tenant.refused, tenant.ms)
    }
    this.#kept?.addTotals(requests, refused, ms)
    clearSketch(sketch)
  }
}
