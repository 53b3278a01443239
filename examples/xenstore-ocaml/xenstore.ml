(* The machine's store from OCaml: what a domain writes there, all at once, and how it hears of changes. *)
open Minios

let rec print_tree depth path =
  List.iter
    (fun name ->
      let child = path ^ "/" ^ name in
      Printf.printf "%*s%s = %S\n" (2 * depth) "" name (Xenstore.read child);
      print_tree (depth + 1) child)
    (Xenstore.directory path)

(* Where somebody interferes, it is done anew. *)
let furnish () =
  Xenstore.atomically (fun transaction ->
      Xenstore.write ~transaction "data/shop/shelves" "3";
      Xenstore.write ~transaction "data/shop/state" "closed")

exception Fire

let burn () =
  Xenstore.atomically (fun transaction ->
      Xenstore.remove ~transaction "data/shop";
      raise Fire)

let open_shop () =
  Thread.delay 0.01;
  Xenstore.write "data/shop/state" "open"

let access = function
  | Xenstore.Nothing -> "nothing"
  | Xenstore.Read -> "read"
  | Xenstore.Write -> "write"
  | Xenstore.Read_write -> "read and write"

let () =
  Printf.printf "I am domain %d, at %s.\n" (Xenstore.domid ()) (Xenstore.domain_path (Xenstore.domid ()));
  furnish ();
  (try burn () with Fire -> ());
  print_tree 0 "data";

  let thread = Thread.create open_shop () in
  let state = Xenstore.wait_for "data/shop/state" (function Some "open" -> Some "open" | _ -> None) in
  Thread.join thread;
  Printf.printf "The shop is %s.\n" state;

  let mine = Xenstore.permissions "data/shop" in
  Xenstore.set_permissions "data/shop" { mine with domains = [ (0, Xenstore.Read) ] };
  let { Xenstore.owner; others; domains } = Xenstore.permissions "data/shop" in
  Printf.printf "It belongs to %d; others may %s" owner (access others);
  List.iter (fun (domid, may) -> Printf.printf ", %d may %s" domid (access may)) domains;
  print_endline ".";

  match Xenstore.read "data/nothing" with
  | value -> print_endline value
  | exception Unix.Unix_error (error, _, path) -> Printf.printf "%s: %s\n" path (Unix.error_message error)
