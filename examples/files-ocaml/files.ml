(* Counts the words of all files below a folder, and writes what it has found into a file there. *)

let rec files_below path =
  if Sys.is_directory path then
    let names = Sys.readdir path in
    Array.sort compare names;
    List.concat_map (fun name -> files_below (Filename.concat path name)) (Array.to_list names)
  else [ path ]

let is_letter c = match c with 'a' .. 'z' | 'A' .. 'Z' | '\'' -> true | _ -> false

let words_of line =
  let words = String.map (fun c -> if is_letter c then Char.lowercase_ascii c else ' ') line in
  List.filter (( <> ) "") (String.split_on_char ' ' words)

let count table path =
  let channel = open_in path in
  let rec go lines =
    match input_line channel with
    | line ->
        let add word =
          Hashtbl.replace table word (1 + Option.value (Hashtbl.find_opt table word) ~default:0)
        in
        List.iter add (words_of line);
        go (lines + 1)
    | exception End_of_file -> lines
  in
  Fun.protect ~finally:(fun () -> close_in channel) (fun () -> go 0)

let () =
  let folder = if Array.length Sys.argv > 1 then Sys.argv.(1) else "/docs" in
  let table = Hashtbl.create 100 in
  let tell path = Printf.printf "%s: %d lines\n" path (count table path) in
  List.iter tell (files_below folder);
  let most = List.of_seq (Hashtbl.to_seq table) in
  let order (a, m) (b, n) = if m = n then compare a b else compare n m in
  let index = open_out (Filename.concat folder "index.txt") in
  List.iter (fun (word, n) -> Printf.fprintf index "%4d %s\n" n word) (List.sort order most);
  close_out index;
  Printf.printf "%d words in index.txt, %d bytes\n" (Hashtbl.length table)
    (Unix.stat (Filename.concat folder "index.txt")).Unix.st_size
