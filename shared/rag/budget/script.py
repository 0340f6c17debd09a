"""The script that keeps the fleet's book inside Redis: `MemoryBook`, step by step, in Lua."""

# Times are Redis's own, in milliseconds: the clocks of hosts differ. A test may bring its own.
# Every exchange writes all it changed and lets both keys expire when nobody comes any more.
EXCHANGE = """
local order, rules = cjson.decode(ARGV[1]), cjson.decode(ARGV[2])
local now = tonumber(ARGV[3])
if now < 0 then
  local time = redis.call('TIME')
  now = time[1] * 1000 + math.floor(time[2] / 1000)
end

local state = {}
local stored = redis.call('HGETALL', KEYS[1])
for i = 1, #stored, 2 do state[stored[i]] = stored[i + 1] end
local function number(name, default) return tonumber(state[name] or default) end
local base, cut = number('base', order.concurrency), number('cut', -1)
local grows_from, streak = number('grows_from', now), number('streak', 0)
local pause_until, reason = number('pause_until', 0), state.reason or ''

-- Who holds and wants what; the dead and the idle are forgotten.
local mine = {queries = order.queries, ingestion = order.ingestion,
              queries_wanted = #order.query_tokens, ingestion_wanted = #order.ingestion_tokens,
              commits_wanted = order.commits}
local others, gone = {}, {}
local rows = redis.call('HGETALL', KEYS[2])
for i = 1, #rows, 2 do
  if rows[i] ~= order.holder then
    local seen, q, n, qw, nw, cw =
      string.match(rows[i + 1], '(%d+) (%d+) (%d+) (%d+) (%d+) ?(%d*)')
    -- What cannot be read, of another version for example, must not stop everybody else.
    local one = {queries = tonumber(q) or 0, ingestion = tonumber(n) or 0,
                 queries_wanted = tonumber(qw) or 0, ingestion_wanted = tonumber(nw) or 0,
                 commits_wanted = tonumber(cw) or 0}
    local age = now - (tonumber(seen) or 0)
    if age > rules.want_ttl then
      one.queries_wanted = 0; one.ingestion_wanted = 0; one.commits_wanted = 0
    end
    local something = one.queries + one.ingestion + one.queries_wanted + one.ingestion_wanted
    if age > rules.holder_ttl or something == 0 then
      gone[#gone + 1] = rows[i]
    else
      others[#others + 1] = one
    end
  end
end

local whole = order.concurrency
local function limit()
  local grown = math.max(0, now - grows_from) * whole / rules.recovery
  return math.max(1, math.floor(math.min(whole, base + grown)))
end

if order.refusal then
  local asked = order.refusal.pause
  if now - pause_until > rules.recovery then streak = 0 end
  if order.refusal.reason == 'unauthorized' then
    asked = rules.unauthorized_pause
    base = 1; cut = now
  else
    if cut < 0 or now - cut >= rules.cut_pause then
      base = math.max(1, math.floor(limit() / 2)); cut = now
    end
    if asked < 0 then
      asked = 0
      if now >= pause_until then
        asked = math.min(rules.first_backoff * 2 ^ streak, rules.longest_backoff)
        streak = math.min(streak + 1, 10)
      end
    end
  end
  local last = now + math.min(asked, rules.longest_pause)
  if last > pause_until then pause_until = last; reason = order.refusal.reason end
  grows_from = math.max(now, pause_until) + rules.cut_pause
end

local function bucket(name, allowance)
  local level = number(name, allowance.capacity)
  local grown = level + (now - number('filled', now)) * allowance.per_ms
  return math.min(allowance.capacity, grown)
end
local requests, tokens = bucket('requests', order.requests), bucket('tokens', order.tokens)
tokens = math.min(tokens - order.correction, order.tokens.capacity)

local retry = 0
local function spend(estimates, room, share)
  local started = 0
  while started < room and started < #estimates do
    local estimate, wait = estimates[started + 1], 0
    if order.requests.per_minute > 0 then
      local need = math.min(order.requests.capacity, 1 + share * order.requests.capacity)
      wait = math.max(wait, (need - requests) / order.requests.per_ms)
    end
    if order.tokens.per_minute > 0 then
      local need = math.min(order.tokens.capacity, estimate + share * order.tokens.capacity)
      wait = math.max(wait, (need - tokens) / order.tokens.per_ms)
    end
    if wait > 0 then
      if retry == 0 or wait < retry then retry = wait end
      break
    end
    requests = requests - 1; tokens = tokens - estimate
    started = started + 1
  end
  return started
end

local queries, ingestion = 0, 0
if now >= pause_until then
  local held_queries, held_ingestion, waiting_queries = 0, 0, 0
  for _, one in ipairs(others) do
    held_queries = held_queries + one.queries
    held_ingestion = held_ingestion + one.ingestion
    waiting_queries = waiting_queries + one.queries_wanted
  end
  local room = limit() - held_queries - held_ingestion - mine.queries - mine.ingestion
  queries = spend(order.query_tokens, room, 0)
  mine.queries = mine.queries + queries
  mine.queries_wanted = mine.queries_wanted - queries

  local ours = limit()
  if order.query_share > 0 and ours > 1 then
    ours = ours - math.max(1, math.floor(ours * order.query_share))
  end
  local total = held_ingestion + mine.ingestion
  local free = math.min(ours - total, limit() - total - held_queries - mine.queries
                        - waiting_queries - mine.queries_wanted)
  local contenders, claimed, commits = 1, 0, 0
  for _, one in ipairs(others) do
    if one.ingestion > 0 or one.ingestion_wanted > 0 then contenders = contenders + 1 end
  end
  local fair = math.max(1, math.floor(ours / contenders))
  for _, one in ipairs(others) do
    commits = commits + one.commits_wanted
    claimed = claimed + math.max(one.commits_wanted,
                                 math.min(one.ingestion_wanted, fair - one.ingestion))
  end
  local rest = math.min(free - commits, math.max(free - claimed, fair - mine.ingestion))
  room = math.max(rest, math.min(free, mine.commits_wanted))
  ingestion = spend(order.ingestion_tokens, room, order.query_share)
  mine.ingestion = mine.ingestion + ingestion
  mine.ingestion_wanted = mine.ingestion_wanted - ingestion
  mine.commits_wanted = math.max(0, mine.commits_wanted - ingestion)
end

redis.call('HSET', KEYS[1], 'base', base, 'cut', cut, 'grows_from', grows_from, 'streak', streak,
  'pause_until', pause_until, 'reason', reason, 'requests', requests, 'tokens', tokens,
  'filled', now)
local count = #others + 1
if mine.queries + mine.ingestion + mine.queries_wanted + mine.ingestion_wanted == 0 then
  gone[#gone + 1] = order.holder
else
  redis.call('HSET', KEYS[2], order.holder, string.format('%d %d %d %d %d %d', now, mine.queries,
    mine.ingestion, mine.queries_wanted, mine.ingestion_wanted, mine.commits_wanted))
end
if #gone > 0 then redis.call('HDEL', KEYS[2], unpack(gone)) end
local kept = math.max(pause_until - now, 0) + rules.kept
redis.call('PEXPIRE', KEYS[1], kept)
redis.call('PEXPIRE', KEYS[2], kept)

local paused = math.max(0, pause_until - now)
return {queries, ingestion, paused, paused > 0 and reason or '', math.ceil(retry), limit(), count}
"""
