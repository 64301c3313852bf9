import { clock } from './figures.ts'
import { useLoaded } from './loaded.ts'
import type { VersionProps } from './routes-part.tsx'
import { Mark } from './table.tsx'
import type { LastReload } from './wire.ts'

/** The config in force, and what the last reload made of it. */
export function ConfigPart({ version, isLive }: VersionProps) {
  const config = useLoaded<object>('/config', version, isLive)
  const difference = useLoaded<{ last: LastReload | null }>('/config/difference', version, isLive)
  return (
    <section aria-labelledby="config-title" class="wide">
      <h2 id="config-title">Config</h2>
      {difference !== null && <Difference last={difference.last} />}
      <details>
        <summary>In force, secrets hidden</summary>
        {/* biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reached by keyboard. */}
        <pre tabIndex={0}>{config === null ? 'Loading …' : JSON.stringify(config, null, 2)}</pre>
      </details>
    </section>
  )
}

function Difference({ last }: { readonly last: LastReload | null }) {
  if (last === null) return <p class="quiet">Not reloaded since the start.</p>
  const { atMs, cause, outcome, changes, problems } = last
  return (
    <>
      <p>
        {outcome === 'applied' ? (
          <Mark tone="good" sign="✓">
            Reloaded
          </Mark>
        ) : (
          <Mark tone="bad" sign="✕">
            Refused, the last good one serves on
          </Mark>
        )}{' '}
        at {clock(atMs)} by {cause}.
      </p>
      {problems.length > 0 && (
        <>
          <h3>Problems</h3>
          <ul>
            {problems.map((problem) => (
              <li key={problem}>{problem}</li>
            ))}
          </ul>
        </>
      )}
      {changes.length > 0 && (
        <>
          <h3>Against the config before</h3>
          <ul>
            {changes.map(({ path, words, needsRestart }) => (
              <li key={path}>
                {words}
                {needsRestart && (
                  <Mark tone="busy" sign="◌">
                    {' '}
                    waits for a restart
                  </Mark>
                )}
              </li>
            ))}
          </ul>
        </>
      )}
    </>
  )
}
