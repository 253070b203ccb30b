-- wrk: sends the signed webhooks of the file named by REQUESTS, one a line,
-- signature and body. Each thread starts at another place of it; what does not
-- answer 200 is counted.

local threads = 0

function setup(thread)
   thread:set("offset", threads)
   threads = threads + 1
end

function init()
   requests = {}
   for line in io.lines(os.getenv("REQUESTS")) do
      local signature, body = line:match("^(%S+) (.*)$")
      requests[#requests + 1] = { signature, body }
   end
   position = math.floor(#requests / 2 * offset)
   bad = 0
end

function request()
   position = position % #requests + 1
   local r = requests[position]
   return wrk.format("POST", nil, {
      ["Content-Type"] = "application/x-www-form-urlencoded",
      ["X-Twilio-Signature"] = r[1],
   }, r[2])
end

function response(status)
   if status ~= 200 then bad = bad + 1 end
end

function done(summary, latency)
   io.write(string.format("RESULT %.0f %.2f %.2f %d\n",
      summary.requests / (summary.duration / 1e6),
      latency:percentile(50) / 1000, latency:percentile(99) / 1000,
      summary.errors.status + summary.errors.connect + summary.errors.read +
      summary.errors.write + summary.errors.timeout))
end
