-- Asks Latchkey whether a request may pass, and does as it says:
--   http-request lua.latchkey http://ADDRESS:PORT/doors/haproxy
-- Whatever goes wrong is answered 503: nothing passes that Latchkey has not allowed.

local timeout_ms = 5000

-- Of the connection, or of a body that stays here.
local not_told = {
  ["host"] = true, ["connection"] = true, ["keep-alive"] = true, ["proxy-connection"] = true,
  ["te"] = true, ["trailer"] = true, ["transfer-encoding"] = true, ["content-length"] = true,
  ["expect"] = true, ["upgrade"] = true,
}

local function each(values, visit)
  for at = 0, #values do
    if values[at] ~= nil then visit(values[at]) end
  end
end

local function question(txn)
  local fields = {}
  for name, values in pairs(txn.http:req_get_headers()) do
    local lower = name:lower()
    if lower:sub(1, 11) == "x-latchkey-" then
      txn.http:req_del_header(name)
    elseif not not_told[lower] then
      fields[lower] = {}
      each(values, function(value) table.insert(fields[lower], value) end)
    end
  end
  fields["x-latchkey-method"] = { txn.sf:method() }
  fields["x-latchkey-target"] = { txn.sf:pathq() }
  fields["x-latchkey-host"] = { txn.sf:req_hdr("host") }
  fields["x-latchkey-scheme"] = { txn.f:ssl_fc() == 1 and "https" or "http" }
  fields["x-latchkey-client"] = { txn.sf:src() }
  return fields
end

local function refuse(txn, answer)
  local reply = txn:reply()
  reply:set_status(answer.status, answer.reason)
  for name, values in pairs(answer.headers) do
    local lower = name:lower()
    if not not_told[lower] then
      each(values, function(value) reply:add_header(name, value) end)
    end
  end
  reply:set_body(answer.body or "")
  txn:done(reply)
end

-- Of Connection and Upgrade a WebSocket alone stays: a client could have headers taken off by Connection, or go over to
-- HTTP/2 (h2c), in which nobody is asked.
local function settle_connection(http)
  local upgrade = http:req_get_headers()["upgrade"] or {}
  local is_websocket = upgrade[0] ~= nil and upgrade[1] == nil and upgrade[0]:lower() == "websocket"
  http:req_del_header("connection")
  if is_websocket then
    http:req_add_header("connection", "upgrade")
  else
    http:req_del_header("upgrade")
  end
end

local function forward(txn, headers)
  settle_connection(txn.http)
  each(headers["x-latchkey-remove"] or {}, function(name) txn.http:req_del_header(name) end)
  each(headers["x-latchkey-set"] or {}, function(field)
    local name, value = field:match("^([^:]+): ?(.*)$")
    txn.http:req_del_header(name)
    txn.http:req_add_header(name, value)
  end)
  txn.http:req_set_uri(headers["x-latchkey-target"][0])
end

core.register_action("latchkey", { "http-req" }, function(txn, door)
  local ok, answer = pcall(function()
    return core.httpclient():get { url = door, headers = question(txn), timeout = timeout_ms }
  end)
  if ok and answer ~= nil and answer.status == 200 and answer.headers["x-latchkey-target"] ~= nil then
    forward(txn, answer.headers)
  elseif ok and answer ~= nil and answer.status ~= nil and answer.status >= 400 then
    refuse(txn, answer)
  else
    refuse(txn, { status = 503, reason = "Service Unavailable", headers = {}, body = "" })
  end
end, 1)
