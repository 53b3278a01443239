(* Yojson reads a document, which is written again: strings, lists, buffers, a lexer's tables. *)
let document =
  let person n =
    Printf.sprintf
      {|{"id": %d, "name": "Person \u00e9 %d", "tags": ["a", "bc\n", "def"], "ratio": %d.%d, "is_active": %b, "more": null}|}
      n n (n mod 17) (n * 37 mod 1000) (n land 1 = 0)
  in
  Printf.sprintf "[%s]" (String.concat ",\n  " (List.init 200 person))

let () =
  Bench.run (fun rounds ->
      let sum = ref 0 in
      for _ = 1 to rounds do
        let text = Yojson.Safe.to_string (Yojson.Safe.from_string document) in
        sum := ((!sum * 5) + Hashtbl.hash (String.sub text 0 200) + String.length text) land 0xffffff
      done;
      Int64.of_int !sum)
