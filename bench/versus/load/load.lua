-- wrk's script. Argument: a file of lines "token tenant", used in turn. Every request is built before the clock
-- starts; the client's own X-Company-ID is a lie that no peer may pass on.
local requests, count, position = {}, 0, 0

function init(args)
  for line in io.lines(args[1]) do
    local token, tenant = line:match("^(%S+) (%S+)$")
    count = count + 1
    requests[count] = wrk.format("GET", "/api/v1/query/search?q=hello&limit=10&tenant=" .. tenant, {
      ["Authorization"] = "Bearer " .. token,
      ["Accept"] = "application/json",
      ["Accept-Encoding"] = "gzip, deflate",
      ["User-Agent"] = "bench/1.0",
      ["X-Company-ID"] = "spoofed",
    })
  end
end

function request()
  position = position % count + 1
  return requests[position]
end

function done(summary, latency)
  local errors = summary.errors
  io.write(string.format(
    'LOAD {"requests":%d,"durationUs":%d,"bytes":%d,"refused":%d,"broken":%d,"p50Us":%d,"p99Us":%d}\n',
    summary.requests, summary.duration, summary.bytes, errors.status,
    errors.connect + errors.read + errors.write + errors.timeout,
    latency:percentile(50), latency:percentile(99)))
end
