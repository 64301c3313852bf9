/** `node examples/oidc/issuer.ts PORT`: the issuer of `nyro dev` alone, which gives a token to whoever asks. */
import { DevIssuerServer } from '../../src/dev/dev-issuer-server.ts'
import { systemClock } from '../../src/lib/clock.ts'

await DevIssuerServer.start(systemClock, [Number(process.argv[2] ?? 9903)])
