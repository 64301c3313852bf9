import { useEffect, useRef, useState } from 'preact/hooks'
import uPlot from 'uplot'
import { clock } from './figures.ts'

export interface Line {
  readonly label: string
  /** A custom property of base.css. */
  readonly color: string
  /** Beside its colour, what tells it from the others. */
  readonly dash: readonly number[]
  readonly values: readonly (number | null)[]
}

export interface ChartProps {
  readonly title: string
  /** The same in words, for who does not see it. */
  readonly summary: string
  readonly seconds: readonly number[]
  readonly lines: readonly Line[]
  /** Of the axis. */
  readonly format: (value: number) => string
  /** Of what is pointed at. */
  readonly tell: (value: number | null) => string
}

const HEIGHT = 190
/** A gateway that has just started shows less than fifteen minutes, and no less than this. */
const LEAST_SECONDS = 60
/** Pixels: the last time on the axis needs them to the right of its tick. */
const HALF_TIME = 28
const DARK = matchMedia('(prefers-color-scheme: dark)')

export function Chart({ title, summary, seconds, lines, format, tell }: ChartProps) {
  const place = useRef<HTMLDivElement>(null)
  const plot = useRef<uPlot | null>(null)
  /** The place in the columns that is pointed at, here or in another chart. */
  const [at, setAt] = useState<number | null>(null)
  const data = [seconds, ...lines.map(({ values }) => values)] as unknown as uPlot.AlignedData // uPlot asks for mutable arrays it does not change
  const latest = useRef(data)
  latest.current = data

  useEffect(() => {
    const element = place.current
    if (element === null) return
    const make = (): void => {
      plot.current?.destroy()
      plot.current = new uPlot(optionsOf({ element, lines, format, onPoint: setAt }), latest.current, element)
    }
    make()
    const observer = new ResizeObserver(() =>
      plot.current?.setSize({ width: element.clientWidth, height: HEIGHT }),
    )
    observer.observe(element)
    DARK.addEventListener('change', make)
    return () => {
      observer.disconnect()
      DARK.removeEventListener('change', make)
      plot.current?.destroy()
      plot.current = null
    }
  }, [])

  useEffect(() => plot.current?.setData(data), [seconds])

  const shown = at ?? seconds.length - 1
  return (
    <figure class="chart">
      <figcaption>
        <strong>{title}</strong>
        {at !== null && <span class="pointed">at {clock((seconds[at] ?? 0) * 1_000)}</span>}
        <ul class="legend">
          {lines.map(({ label, color, dash, values }) => (
            <li key={label}>
              <svg width="16" height="8" aria-hidden="true" class={color.slice(2)}>
                <line x1="0" y1="4" x2="16" y2="4" stroke-width="2.5" stroke-dasharray={dash.join(' ')} />
              </svg>
              {label}
              <strong> {tell(values[shown] ?? null)}</strong>
            </li>
          ))}
        </ul>
      </figcaption>
      <div ref={place} class="plot" role="img" aria-label={`${title}. ${summary}`} />
    </figure>
  )
}

interface PlotParts {
  readonly element: HTMLElement
  readonly lines: readonly Line[]
  readonly format: (value: number) => string
  readonly onPoint: (at: number | null) => void
}

function optionsOf({ element, lines, format, onPoint }: PlotParts): uPlot.Options {
  const style = getComputedStyle(document.documentElement)
  const color = (name: string): string => style.getPropertyValue(name).trim()
  const axis = {
    stroke: color('--quiet'),
    grid: { stroke: color('--line'), width: 1 },
    ticks: { stroke: color('--line'), width: 1 },
    font: '12px system-ui, sans-serif',
  }
  return {
    width: element.clientWidth,
    height: HEIGHT,
    padding: [8, HALF_TIME, 0, 0],
    legend: { show: false },
    hooks: { setCursor: [({ cursor }) => onPoint(cursor.idx ?? null)] },
    cursor: { y: false, sync: { key: 'seconds' }, points: { show: false }, drag: { x: false, y: false } },
    scales: {
      x: { time: true, range: (_plot, low, high) => [Math.min(low ?? 0, (high ?? 0) - LEAST_SECONDS), high] },
      y: { range: (_plot, _low, high) => [0, high > 0 ? high * 1.1 : 1] },
    },
    axes: [
      { ...axis, values: timesOf, space: 80, size: 30 },
      { ...axis, size: 62, values: (_plot, values) => values.map(format) },
    ],
    series: [
      {},
      ...lines.map(({ label, color: name, dash }) => ({
        label,
        stroke: color(name),
        width: 1.5,
        dash: [...dash],
        points: { show: false },
      })),
    ],
  }
}

/** Without seconds where they are all the same. */
function timesOf(
  _plot: uPlot,
  seconds: readonly number[],
  _axis: number,
  _space: number,
  step: number,
): string[] {
  return seconds.map((second) => clock(second * 1_000).slice(0, step >= 60 ? -3 : undefined))
}
