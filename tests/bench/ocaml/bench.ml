(* The main of every OCaml benchmark program, as bench.c is that of C's: PROGRAM ROUNDS prints a checksum of the work, the nanoseconds of
   the first quarter as many rounds, and those of the measured section after it. *)

let run (work : int -> int64) =
  let rounds = int_of_string Sys.argv.(1) in
  let start = Unix.gettimeofday () in
  let first = work ((rounds + 3) / 4) in
  let middle = Unix.gettimeofday () in
  let second = work rounds in
  let finish = Unix.gettimeofday () in
  Printf.printf "checksum %016Lx\n" (Int64.logxor (Int64.mul first 31L) second);
  Printf.printf "first %.0f\n" ((middle -. start) *. 1e9);
  Printf.printf "nanoseconds %.0f\n" ((finish -. middle) *. 1e9)
