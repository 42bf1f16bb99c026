-- Sends the requests of a file, one after the other, and prints one line of JSON at the end.
-- The file: a line with the length of a request, then the request, and so on.
local requests = {}
local at = 0

function init(arguments)
    local file = assert(io.open(arguments[1], "rb"))
    for length in function() return file:read("*l") end do
        requests[#requests + 1] = file:read(tonumber(length))
    end
    file:close()
end

function request()
    at = at % #requests + 1
    return requests[at]
end

function done(summary, latency, _)
    local errors = summary.errors
    io.write(string.format(
        '\n{"requests": %d, "seconds": %f, "refused": %d, "broken": %d, "p50": %f, "p99": %f}\n',
        summary.requests, summary.duration / 1e6, errors.status,
        errors.connect + errors.read + errors.write + errors.timeout,
        latency:percentile(50) / 1e3, latency:percentile(99) / 1e3))
end
