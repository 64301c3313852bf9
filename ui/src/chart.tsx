import { useEffect, useRef } from 'preact/hooks'
import uPlot from 'uplot'

export interface Line {
  readonly label: string
  /** A custom property of page.css. */
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
  readonly format: (value: number) => string
}

const HEIGHT = 190
/** A gateway that has just started shows less than fifteen minutes, and no less than this. */
const LEAST_SECONDS = 60
const DARK = matchMedia('(prefers-color-scheme: dark)')

export function Chart({ title, summary, seconds, lines, format }: ChartProps) {
  const place = useRef<HTMLDivElement>(null)
  const plot = useRef<uPlot | null>(null)
  const data = [seconds, ...lines.map(({ values }) => values)] as unknown as uPlot.AlignedData // uPlot asks for mutable arrays it does not change
  const latest = useRef(data)
  latest.current = data

  useEffect(() => {
    const element = place.current
    if (element === null) return
    const make = (): void => {
      plot.current?.destroy()
      plot.current = new uPlot(optionsOf(element, lines, format), latest.current, element)
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

  useEffect(() => plot.current?.setData(data))

  return (
    <figure class="chart">
      <figcaption>
        <strong>{title}</strong>
        <ul class="legend">
          {lines.map(({ label, color, dash }) => (
            <li key={label}>
              <svg width="22" height="8" aria-hidden="true" class={color.slice(2)}>
                <line x1="0" y1="4" x2="22" y2="4" stroke-width="2.5" stroke-dasharray={dash.join(' ')} />
              </svg>
              {label}
            </li>
          ))}
        </ul>
      </figcaption>
      <div ref={place} class="plot" role="img" aria-label={`${title}. ${summary}`} />
    </figure>
  )
}

function optionsOf(
  element: HTMLElement,
  lines: readonly Line[],
  format: (value: number) => string,
): uPlot.Options {
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
    padding: [8, 8, 0, 0],
    legend: { show: false },
    cursor: { sync: { key: 'seconds' }, points: { show: false }, drag: { x: false, y: false } },
    scales: {
      x: { time: true, range: (_plot, low, high) => [Math.min(low ?? 0, (high ?? 0) - LEAST_SECONDS), high] },
      y: { range: (_plot, _low, high) => [0, high > 0 ? high * 1.1 : 1] },
    },
    axes: [
      { ...axis, values: '{HH}:{mm}:{ss}', space: 80, size: 30 },
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
