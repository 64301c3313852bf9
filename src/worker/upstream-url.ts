export { type UpstreamUrl, upstreamUrl } from '../config/upstream-url.ts'
