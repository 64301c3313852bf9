import { useState } from 'preact/hooks'

export interface LoginProps {
  readonly isRefused: boolean
  readonly onToken: (token: string) => void
}

/** Asks for the operator listener's token. */
export function Login({ isRefused, onToken }: LoginProps) {
  const [token, setToken] = useState('')
  return (
    <main class="login">
      <form
        onSubmit={(event) => {
          event.preventDefault()
          if (token !== '') onToken(token)
        }}
      >
        <h1>Nyro Gateway</h1>
        <label for="token">Admin token</label>
        <input
          id="token"
          type="password"
          autocomplete="current-password"
          value={token}
          aria-describedby="token-note"
          aria-invalid={isRefused}
          onInput={(event) => setToken(event.currentTarget.value)}
        />
        <p id="token-note" role={isRefused ? 'alert' : undefined} class={isRefused ? 'wrong' : 'quiet'}>
          {isRefused ? '✕ That is not the token.' : 'As configured in admin.token. Kept for this tab only.'}
        </p>
        <button type="submit" class="main">
          Log in
        </button>
      </form>
    </main>
  )
}
