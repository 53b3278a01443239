(* Zarith: `numbers OPERATION A B [C]` prints what comes out. *)
let () =
  let number n = Z.of_string Sys.argv.(n) in
  let answer =
    match Sys.argv.(1) with
    | "add" -> Z.add (number 2) (number 3)
    | "mul" -> Z.mul (number 2) (number 3)
    | "div" -> Z.div (number 2) (number 3)
    | "rem" -> Z.rem (number 2) (number 3)
    | "powm" -> Z.powm (number 2) (number 3) (number 4)
    | "gcd" -> Z.gcd (number 2) (number 3)
    | other -> failwith other
  in
  print_endline (Z.to_string answer);
  print_endline (Q.to_string (Q.make (number 2) (number 3)));
  print_endline (Z.format "%x" answer);
  try ignore (Z.div answer Z.zero) with Division_by_zero -> print_endline "Division_by_zero"
