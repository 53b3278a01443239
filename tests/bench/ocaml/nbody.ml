(* The outer planets' motion: records of mutable floats, square roots. *)
type body = {
  mutable x : float;
  mutable y : float;
  mutable z : float;
  mutable vx : float;
  mutable vy : float;
  mutable vz : float;
  mass : float;
}

let pi = 4. *. atan 1.
let solar_mass = 4. *. pi *. pi
let year = 365.24

let planet x y z vx vy vz mass =
  { x; y; z; vx = vx *. year; vy = vy *. year; vz = vz *. year; mass = mass *. solar_mass }

let bodies () =
  [|
    planet 0. 0. 0. 0. 0. 0. 1.;
    planet 4.841431442464721 (-1.1603200440274284) (-0.10362204447112311) 0.001660076642744037
      0.007699011184197404 (-6.90460016972063e-05) 0.0009547919384243266;
    planet 8.34336671824458 4.124798564124305 (-0.4035234171143214) (-0.002767425107268624)
      0.004998528012349172 2.3041729757376393e-05 0.0002858859806661308;
    planet 12.894369562139131 (-15.111151401698631) (-0.22330757889265573) 0.002964601375647616
      0.0023784717395948095 (-2.9658956854023756e-05) 4.366244043351563e-05;
    planet 15.379697114850917 (-25.919314609987964) 0.17925877295037118 0.0026806777249038932
      0.001628241700382423 (-9.515922545197159e-05) 5.151389020466115e-05;
  |]

let advance bodies dt =
  let n = Array.length bodies - 1 in
  for i = 0 to n do
    let b = bodies.(i) in
    for j = i + 1 to n do
      let c = bodies.(j) in
      let dx = b.x -. c.x and dy = b.y -. c.y and dz = b.z -. c.z in
      let squared = (dx *. dx) +. (dy *. dy) +. (dz *. dz) in
      let magnitude = dt /. (squared *. sqrt squared) in
      b.vx <- b.vx -. (dx *. c.mass *. magnitude);
      b.vy <- b.vy -. (dy *. c.mass *. magnitude);
      b.vz <- b.vz -. (dz *. c.mass *. magnitude);
      c.vx <- c.vx +. (dx *. b.mass *. magnitude);
      c.vy <- c.vy +. (dy *. b.mass *. magnitude);
      c.vz <- c.vz +. (dz *. b.mass *. magnitude)
    done
  done;
  for i = 0 to n do
    let b = bodies.(i) in
    b.x <- b.x +. (dt *. b.vx);
    b.y <- b.y +. (dt *. b.vy);
    b.z <- b.z +. (dt *. b.vz)
  done

let energy bodies =
  let total = ref 0. in
  Array.iteri
    (fun i b ->
      total := !total +. (0.5 *. b.mass *. ((b.vx *. b.vx) +. (b.vy *. b.vy) +. (b.vz *. b.vz)));
      for j = i + 1 to Array.length bodies - 1 do
        let c = bodies.(j) in
        let dx = b.x -. c.x and dy = b.y -. c.y and dz = b.z -. c.z in
        total := !total -. (b.mass *. c.mass /. sqrt ((dx *. dx) +. (dy *. dy) +. (dz *. dz)))
      done)
    bodies;
  !total

let () =
  Bench.run (fun rounds ->
      let bodies = bodies () in
      for _ = 1 to rounds do
        advance bodies 0.01
      done;
      Int64.of_float (energy bodies *. 1e12))
