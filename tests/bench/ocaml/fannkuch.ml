(* Flips of a permutation's beginning, for permutations in order: arrays of integers with their bounds checked. *)
let fannkuch n permutations =
  let perm = Array.init n (fun i -> i) and flipped = Array.make n 0 and count = Array.make n 0 in
  let checksum = ref 0 and r = ref n and left = ref permutations in
  while !left > 0 do
    while !r <> 1 do
      count.(!r - 1) <- !r;
      decr r
    done;
    Array.blit perm 0 flipped 0 n;
    let flips = ref 0 in
    while flipped.(0) <> 0 do
      let low = ref 0 and high = ref flipped.(0) in
      while !low < !high do
        let one = flipped.(!low) in
        flipped.(!low) <- flipped.(!high);
        flipped.(!high) <- one;
        incr low;
        decr high
      done;
      incr flips
    done;
    checksum := ((!checksum * 7) + !flips) land 0xffffff;
    decr left;
    let turning = ref true in
    while !turning do
      if !r = n then begin
        r := 1;
        Array.iteri (fun i _ -> perm.(i) <- i) perm;
        turning := false
      end
      else begin
        let first = perm.(0) in
        for i = 0 to !r - 1 do
          perm.(i) <- perm.(i + 1)
        done;
        perm.(!r) <- first;
        count.(!r) <- count.(!r) - 1;
        if count.(!r) > 0 then turning := false else incr r
      end
    done
  done;
  !checksum

let () = Bench.run (fun rounds -> Int64.of_int (fannkuch 11 rounds))
