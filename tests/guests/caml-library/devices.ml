(* A disk, an interface, a screen and a keyboard. *)
open Minios
open Bigarray

let block () =
  let disk = Block.connect "device/vbd/51712" in
  let { Block.sectors; sector_size; is_writable } = Block.info disk in
  Printf.printf "%Ld sectors of %d, %s\n" sectors sector_size (if is_writable then "writable" else "read-only");
  let written = Grant.pages 16 and read = Grant.pages 1 in
  for i = 0 to Array1.dim written - 1 do
    written.{i} <- Char.chr (i / 512 land 255)
  done;
  Block.write disk 4096L written;
  Block.flush disk;
  (* Neither end is a sector's. *)
  let part = Array1.sub read 7 1000 in
  Block.read disk 5000L part;
  Printf.printf "%d %d %d\n" (Char.code part.{0}) (Char.code part.{999}) (Char.code read.{0});
  (match Block.read disk (Int64.mul sectors 512L) part with
  | () -> print_endline "read"
  | exception Unix.Unix_error (error, name, _) -> Printf.printf "%s: %s\n" name (Unix.error_message error));
  Block.disconnect disk;
  match Block.connect "device/vbd/9" with
  | _ -> print_endline "connected"
  | exception Unix.Unix_error (error, _, device) -> Printf.printf "%s: %s\n" device (Unix.error_message error)

let net () =
  let card = Net.connect () in
  Printf.printf "mac %s\n" (String.concat " " (List.map (fun c -> string_of_int (Char.code c)) (List.of_seq (String.to_seq (Net.mac card)))));
  let frame = Bytes.create 1514 in
  Printf.printf "nothing: %b\n%!" (Net.read ~timeout:0.01 card frame 0 1514 = None);
  Net.write card (Bytes.of_string "a frame that goes out, of 64 bytes and more, as Ethernet has it...") 0 64;
  (match Net.read card frame 0 1514 with
  | Some length -> Printf.printf "%d bytes: %s\n" length (Bytes.sub_string frame 14 5)
  | None -> print_endline "none");
  Net.disconnect card

let screen () =
  let screen = Framebuffer.connect ~width:64 ~height:32 () in
  let pixels = Framebuffer.pixels screen in
  Array2.fill pixels 0x102030l;
  pixels.{31, 63} <- 0xfedcbal;
  Framebuffer.update_all screen;
  let keyboard = Keyboard.connect ~positions:true () in
  Printf.printf "drawn\n%!";
  let rec read () =
    let shown = function
      | Keyboard.Key { code; is_pressed } -> Printf.printf "key %d %b\n" code is_pressed
      | Position { x; y; wheel } -> Printf.printf "position %d %d %d\n" x y wheel
      | Motion { x; y; wheel } -> Printf.printf "motion %d %d %d\n" x y wheel
    in
    let events = Keyboard.events ~timeout:(-1.) keyboard in
    List.iter shown events;
    if not (List.mem (Keyboard.Key { code = 1; is_pressed = true }) events) then read ()
  in
  read ();
  Framebuffer.disconnect screen;
  (match Framebuffer.update_all screen with
  | () -> print_endline "updated"
  | exception Unix.Unix_error (Unix.EBADF, _, _) -> print_endline "disconnected");
  Keyboard.disconnect keyboard;
  Gc.full_major ()

let () = match Sys.argv.(1) with "block" -> block () | "net" -> net () | _ -> screen ()
