-- Sends the requests of a file, one after the other, and prints one line of JSON at the end.
-- The file: a line with the length of a request, then the request, and so on.
-- With a second argument it also counts answers of 503 and 429 that do not say when to come back.
local requests = {}
local at = 0
local threads = {}
unsaid = 0

function setup(thread)
    table.insert(threads, thread)
end

function init(arguments)
    local file = assert(io.open(arguments[1], "rb"))
    for length in function() return file:read("*l") end do
        requests[#requests + 1] = file:read(tonumber(length))
    end
    file:close()
    if arguments[2] then
        response = function(status, headers)
            if (status == 503 or status == 429) and not headers["retry-after"] then
                unsaid = unsaid + 1
            end
        end
    end
end

function request()
    at = at % #requests + 1
    return requests[at]
end

function done(summary, latency, _)
    local errors = summary.errors
    local silent = 0
    for _, thread in ipairs(threads) do
        silent = silent + thread:get("unsaid")
    end
    io.write(string.format(
        '\n{"requests": %d, "seconds": %f, "refused": %d, "unsaid": %d, "connect": %d, "read": %d, "write": %d,'
            .. ' "timeout": %d, "p50": %f, "p99": %f, "max": %f}\n',
        summary.requests, summary.duration / 1e6, errors.status, silent, errors.connect, errors.read,
        errors.write, errors.timeout, latency:percentile(50) / 1e3, latency:percentile(99) / 1e3,
        latency.max / 1e3))
end
