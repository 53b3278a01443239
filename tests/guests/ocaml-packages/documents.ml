(* yojson and re: a document read, asked and written again; words found in a text. *)
let text =
  {|{"title": "Grüße", "parts": [1, -2.5, 1e300, "tab\there", null, true, 9007199254740993],
     "nested": {"list": [[], [[]]], "text": "\u00e9\ud83d\ude00"}}|}

let () =
  let json = Yojson.Safe.from_string text in
  print_endline (Yojson.Safe.to_string json);
  print_endline (Yojson.Safe.pretty_to_string (Yojson.Safe.Util.member "nested" json));
  (match Yojson.Safe.Util.(json |> member "parts" |> index 6) with
  | `Int n -> Printf.printf "%d\n" n
  | `Intlit n -> Printf.printf "%s, as it is written\n" n
  | _ -> print_endline "something else");
  try ignore (Yojson.Safe.from_string "[1, 2") with Yojson.Json_error reason -> print_endline reason

let () =
  let pair = Re.(compile (seq [ group (rep1 digit); str " of "; group (rep1 alpha) ])) in
  let found = Re.all pair "12 of April, 7 of 9, 365 of days" in
  List.iter (fun one -> Printf.printf "%s: %s\n" (Re.Group.get one 2) (Re.Group.get one 1)) found;
  let perl = Re.Perl.compile_pat ~opts:[ `Caseless ] "(a|b)+c" in
  print_endline (Re.replace_string perl ~by:"<>" "xABABCy aac bc")
