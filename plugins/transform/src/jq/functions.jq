def tonumber:
  if isnumber then .
  elif isstring then (try fromjson catch null) as $n | if $n | isnumber then $n else error("\(.) is no number") end
  else error("\(tojson) is no number") end;
def toboolean:
  if isboolean then . elif . == "true" then true elif . == "false" then false
  else error("\(tojson) is no boolean") end;
def toarray: if isarray then . else [.] end;

def transpose: [range([.[] | length] | max // 0) as $i | [.[][$i]]];
def leaf_paths: paths(scalars);
def in(xs): . as $x | xs | has($x);
def inside(xs): . as $x | xs | contains($x);
def index($i): indices($i)[0];
def rindex($i): indices($i)[-1];
def INDEX(values; key): reduce values as $value ({}; . + {($value | key | tostring): $value});
def INDEX(key): INDEX(.[]; key);
def IN(values): any(values == .; .);
def IN(some; values): any(some == values; .);
def ascii: [.] | implode;
def trimstr($s): ltrimstr($s) | rtrimstr($s);

def @json: tojson;
def @csv: [.[] | if isstring then "\"\(gsub("\""; "\"\""))\"" elif . == null then "" elif . < [] then tojson
  else error("\(tojson) cannot stand in CSV") end] | join(",");
def @tsv: [.[] | if isstring then gsub("\\\\"; "\\\\") | gsub("\t"; "\\t") | gsub("\n"; "\\n") | gsub("\r"; "\\r")
  elif . == null then "" elif . < [] then tojson else error("\(tojson) cannot stand in TSV") end] | join("\t");
