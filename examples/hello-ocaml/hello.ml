(* The smallest stub domain in OCaml: names on the command line are greeted, sorted by length. *)

module Names = Map.Make (Int)

let by_length names =
  let add lengths name =
    let length = String.length name in
    let others = Option.value (Names.find_opt length lengths) ~default:[] in
    Names.add length (name :: others) lengths
  in
  List.fold_left add Names.empty names

let () =
  let names =
    match List.tl (Array.to_list Sys.argv) with [] -> [ "world" ] | names -> names
  in
  let greet _ = List.iter (Printf.printf "Hello, %s!\n") in
  Names.iter greet (by_length names);
  Printf.printf "from OCaml %s, %d bits, on %s\n" Sys.ocaml_version Sys.word_size Sys.os_type
