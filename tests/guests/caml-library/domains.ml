(* Two domains, the same program: one offers a page and a port, the other takes them up; each hears the other. *)
open Minios

let text page = String.init (Bigarray.Array1.dim page) (Bigarray.Array1.get page) |> String.split_on_char '\000' |> List.hd
let put page text = String.iteri (fun i c -> page.{i} <- c) (text ^ "\000")
let heard page = Printf.printf "heard: %s\n%!" (text page)

let offer domid =
  let page = Grant.pages 2 in
  let references = Grant.share ~domid ~writable:true page in
  let event = Event.listen ~domid in
  (* Before the offer: whoever has taken it up may send at any time. *)
  assert (not (Event.wait ~timeout:0.01 event));
  (* Others run while one waits: it is one of them that makes the offer. *)
  let beside () =
    for _ = 1 to 3 do Thread.delay 0.001 done;
    Printf.printf "offer %s %d\n%!" (String.concat " " (List.map string_of_int references)) (Event.port event)
  in
  let thread = Thread.create beside () in
  assert (Event.wait event);
  Thread.join thread;
  heard page;
  Printf.printf "second page: %c\n" page.{Grant.page_size};
  (match Grant.take_back references with
  | () -> print_endline "taken back too early"
  | exception Unix.Unix_error (Unix.EBUSY, _, _) -> print_endline "still in use");
  put page "I hear you.";
  Event.notify event;
  assert (Event.wait event);
  Grant.take_back references;
  print_endline "taken back";
  Event.close event;
  match Event.notify event with
  | () -> print_endline "notified"
  | exception Unix.Unix_error (Unix.EBADF, _, _) -> print_endline "closed"

let take domid references port =
  let mapping = Grant.map ~domid ~writable:true references in
  let page = Grant.contents mapping in
  let event = Event.connect ~domid ~port in
  put page "Can you hear me?";
  page.{Grant.page_size} <- '2';
  (* What a new binding has pending is none of the other's. *)
  ignore (Event.wait ~timeout:0. event);
  Event.notify event;
  assert (Event.wait event);
  heard page;
  Grant.unmap mapping;
  (match page.{0} with _ -> print_endline "mapped" | exception Invalid_argument _ -> print_endline "unmapped");
  Event.notify event;
  match Grant.map ~domid ~writable:false [ 999 ] with
  | _ -> print_endline "mapped"
  | exception Unix.Unix_error (Unix.EINVAL, "Minios.Grant.map", _) -> print_endline "no such grant"

let () =
  Console.printf "console %d\n" 7;
  match List.map int_of_string (List.tl (Array.to_list Sys.argv)) with
  | [ domid ] -> offer domid
  | [ domid; first; second; port ] -> take domid [ first; second ] port
  | _ -> exit 2
