(* Code that rewriters of Debian's write, which run on the machine itself while this is built. *)
open Sexplib.Std

type shape = Point | Circle of int | Named of { name : string; parts : shape list } [@@deriving sexp, show, eq]

let () =
  let text = "(Named (name \"a b\") (parts (Point (Circle 3))))" in
  let shape = shape_of_sexp (Sexplib.Sexp.of_string text) in
  print_endline (show_shape shape);
  print_endline (Sexplib.Sexp.to_string (sexp_of_shape shape));
  Printf.printf "%b %b\n" (equal_shape shape shape) (equal_shape shape Point)
