(* Bricks, a ball and a paddle on Mini-OS's frame buffer. The game plays itself until somebody takes the paddle, by the arrow keys or by the
   pointer; Escape ends it. With a number of rounds as its argument it plays these at once, shows each second of
   them, and waits. *)
open Minios

let width = 320
let height = 200
let columns = 10
let rows = 6
let brick_width = width / columns
let brick_height = 10
let first_row = 24
let paddle_width = 48
let paddle_top = height - 14
let radius = 3

(* Places and speeds of the ball are in sixteenths of a pixel, so that every machine plays the same game. *)
let fine = 16

type game = {
  mutable x : int;
  mutable y : int;
  mutable dx : int;
  mutable dy : int;
  mutable trail : (int * int) list;
  mutable paddle : int;
  mutable score : int;
  mutable lost : int;
  mutable walls : int;
  bricks : bool array array;
  mutable is_played : bool;
  mutable direction : int;
  mutable goes_on : bool;
}

let serve game =
  game.x <- width / 2 * fine;
  game.y <- 120 * fine;
  game.dx <- 17 + (game.score mod 7);
  game.dy <- 48;
  game.trail <- []

let build game = Array.iter (fun row -> Array.fill row 0 columns true) game.bricks

let start () =
  let game =
    {
      x = 0; y = 0; dx = 0; dy = 0; trail = []; paddle = width / 2; score = 0; lost = 0; walls = 0;
      bricks = Array.make_matrix rows columns true; is_played = false; direction = 0; goes_on = true;
    }
  in
  serve game;
  game

let clamp low high n = max low (min high n)

(* The round's number makes the machine miss the middle of its paddle, so that the ball goes everywhere. *)
let move_paddle game round =
  let wish =
    if game.is_played then game.paddle + (5 * game.direction) else (game.x / fine) + (round / 90 * 7 mod 31) - 15
  in
  game.paddle <- clamp (paddle_width / 2) (width - (paddle_width / 2)) wish

let hit_brick game =
  let column = game.x / fine / brick_width and row = ((game.y / fine) - first_row) / brick_height in
  let is_inside = game.y / fine >= first_row && row < rows && column >= 0 && column < columns in
  if is_inside && game.bricks.(row).(column) then begin
    game.bricks.(row).(column) <- false;
    game.score <- game.score + rows - row;
    game.dy <- -game.dy;
    if not (Array.exists (Array.exists Fun.id) game.bricks) then begin
      game.walls <- game.walls + 1;
      build game;
      serve game
    end
  end

(* The nearer to its end, the flatter it leaves the paddle. *)
let hit_paddle game =
  let distance = (game.x / fine) - game.paddle in
  if game.dy > 0 && game.y / fine >= paddle_top - radius && abs distance <= (paddle_width / 2) + radius then begin
    game.dy <- -game.dy;
    game.dx <- clamp (-40) 40 ((game.dx / 2) + distance)
  end

let move_ball game =
  game.trail <- List.filteri (fun i _ -> i < 12) ((game.x / fine, game.y / fine) :: game.trail);
  game.x <- game.x + game.dx;
  game.y <- game.y + game.dy;
  if game.x < radius * fine then game.dx <- abs game.dx;
  if game.x > (width - radius) * fine then game.dx <- -abs game.dx;
  if game.y < radius * fine then game.dy <- abs game.dy;
  hit_brick game;
  hit_paddle game;
  if game.y > height * fine then begin
    game.lost <- game.lost + 1;
    serve game
  end

(* Colours *)

let rgb red green blue = (red lsl 16) lor (green lsl 8) lor blue
let row_colours = [| rgb 230 70 70; rgb 240 150 60; rgb 240 220 80; rgb 90 200 90; rgb 70 150 230; rgb 160 100 220 |]
let paddle_colour = rgb 220 220 230
let ball_colour = rgb 255 255 255

let darker colour parts = rgb ((colour lsr 16) * parts / 8) ((colour lsr 8 land 255) * parts / 8) ((colour land 255) * parts / 8)

(* Drawing *)

let fill (pixels : Framebuffer.pixels) left top wide high colour =
  let colour = Int32.of_int colour in
  for y = max 0 top to min height (top + high) - 1 do
    for x = max 0 left to min width (left + wide) - 1 do
      pixels.{y, x} <- colour
    done
  done

let disc pixels x0 y0 radius colour =
  for y = -radius to radius do
    let half = int_of_float (sqrt (float_of_int ((radius * radius) - (y * y)))) in
    fill pixels (x0 - half) (y0 + y) ((2 * half) + 1) 1 colour
  done

let draw_bricks pixels bricks =
  Array.iteri
    (fun row ->
      Array.iteri (fun column is_there ->
          let left = column * brick_width and top = first_row + (row * brick_height) in
          if is_there then begin
            fill pixels left top (brick_width - 1) (brick_height - 1) (darker row_colours.(row) 5);
            fill pixels left top (brick_width - 2) (brick_height - 2) row_colours.(row)
          end))
    bricks

let digits = [| 0o75557; 0o26227; 0o71747; 0o71717; 0o55711; 0o74717; 0o74757; 0o71111; 0o75757; 0o75717 |]

let draw_number pixels left top number =
  String.iteri
    (fun place digit ->
      let bits = digits.(Char.code digit - Char.code '0') in
      for i = 0 to 14 do
        if (bits lsr (14 - i)) land 1 = 1 then
          fill pixels (left + (12 * place) + (i mod 3 * 3)) (top + (i / 3 * 3)) 3 3 paddle_colour
      done)
    (string_of_int number)

let background =
  let pixels = Bigarray.(Array2.create int32 c_layout height width) in
  for y = 0 to height - 1 do
    fill pixels 0 y width 1 (rgb (y / 10) (y / 8) (24 + (y / 5)))
  done;
  pixels

let draw screen game =
  let pixels = Framebuffer.pixels screen in
  Bigarray.Array2.blit background pixels;
  draw_bricks pixels game.bricks;
  draw_number pixels 6 4 game.score;
  List.iteri (fun age (x, y) -> disc pixels x y 2 (darker ball_colour (max 1 (5 - (age / 3))))) game.trail;
  disc pixels (game.x / fine) (game.y / fine) radius ball_colour;
  fill pixels (game.paddle - (paddle_width / 2)) paddle_top paddle_width 5 paddle_colour;
  Framebuffer.update_all screen

(* Keys *)

let escape = 1
let left_key = 105
let right_key = 106

let take game = function
  | Keyboard.Key { code; is_pressed } when code = escape -> if is_pressed then game.goes_on <- false
  | Keyboard.Key { code; is_pressed } when code = left_key || code = right_key ->
      game.is_played <- true;
      game.direction <- (if not is_pressed then 0 else if code = left_key then -1 else 1)
  | Keyboard.Key _ -> ()
  | Keyboard.Motion { x; _ } ->
      game.is_played <- true;
      game.paddle <- game.paddle + x
  | Keyboard.Position { x; _ } ->
      game.is_played <- true;
      game.paddle <- x

let play_round game round =
  move_paddle game round;
  move_ball game

(* A round is a sixtieth of a second; keys that come meanwhile end the waiting. *)
let rec watch screen keyboard game round =
  let until = Unix.gettimeofday () +. (1. /. 60.) in
  play_round game round;
  draw screen game;
  let rec wait () =
    let left = until -. Unix.gettimeofday () in
    if left > 0. && game.goes_on then begin
      List.iter (take game) (Keyboard.events ~timeout:left keyboard);
      wait ()
    end
  in
  wait ();
  if game.goes_on then watch screen keyboard game (round + 1)

let rec wait_for_end keyboard game =
  if game.goes_on then begin
    List.iter (take game) (Keyboard.events ~timeout:(-1.) keyboard);
    wait_for_end keyboard game
  end

let () =
  let screen = Framebuffer.connect ~width ~height () in
  let keyboard = Keyboard.connect ~positions:true () in
  let game = start () in
  (match Sys.argv with
  | [| _; rounds |] ->
      for round = 1 to int_of_string rounds do
        play_round game round;
        if round mod 60 = 0 then draw screen game
      done;
      Printf.printf "played\n%!";
      wait_for_end keyboard game
  | _ -> watch screen keyboard game 0);
  Printf.printf "%d points, %d balls lost, %d walls taken down\n" game.score game.lost game.walls;
  Keyboard.disconnect keyboard;
  Framebuffer.disconnect screen
