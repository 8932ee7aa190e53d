-- Begins runs for wrk, and writes what came of it as the last line.

wrk.method = os.getenv("METHOD")
wrk.headers["Content-Type"] = "application/json"
wrk.headers["Authorization"] = "Bearer " .. os.getenv("TOKEN")
wrk.body = os.getenv("BODY")

function done(summary, latency)
  local errors = summary.errors
  local failed = errors.connect + errors.read + errors.write + errors.status + errors.timeout
  local rate = summary.requests / (summary.duration / 1e6)
  local line = '{"rate":%.1f,"p50":%.1f,"p99":%.1f,"failed":%d}\n'
  io.write(line:format(rate, latency:percentile(50), latency:percentile(99), failed))
end
