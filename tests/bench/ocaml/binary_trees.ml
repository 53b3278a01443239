(* Trees that live shortly, and one that lives long: allocation and the garbage collector. *)
type tree = Empty | Node of tree * tree

let rec make depth = if depth = 0 then Node (Empty, Empty) else Node (make (depth - 1), make (depth - 1))
let rec count = function Empty -> 0 | Node (left, right) -> 1 + count left + count right

let () =
  let long = make 16 in
  Bench.run (fun rounds ->
      let nodes = ref (count long) in
      for round = 1 to rounds do
        nodes := !nodes + count (make (4 + (round land 7)))
      done;
      Int64.of_int (!nodes land 0x3fffffff))
