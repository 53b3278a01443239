(* The norm of an infinite matrix that is computed entry by entry: arrays of floats, division, closures. *)
let entry i j = 1. /. float_of_int (((i + j) * (i + j + 1) / 2) + i + 1)

let times matrix v =
  Array.mapi
    (fun i _ ->
      let sum = ref 0. in
      for j = 0 to Array.length v - 1 do
        sum := !sum +. (matrix i j *. v.(j))
      done;
      !sum)
    v

let both v = times (fun i j -> entry j i) (times entry v)

let dot u v =
  let sum = ref 0. in
  Array.iteri (fun i x -> sum := !sum +. (x *. v.(i))) u;
  !sum

let () =
  Bench.run (fun rounds ->
      let u = ref (Array.make 100 1.) in
      let v = ref !u in
      for _ = 1 to rounds do
        v := both !u;
        let longest = Array.fold_left max 0. !v in
        u := Array.map (fun x -> x /. longest) !v
      done;
      Int64.of_float (sqrt (dot !u !v /. dot !v !v) *. 1e9))
