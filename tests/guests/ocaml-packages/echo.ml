(* A Lwt server that sends back each line and says how many are connected when the last has come; ends when all have gone. *)
open Lwt.Syntax

let expected = int_of_string Sys.argv.(1)
let connected = ref 0
let most = ref 0
let all_gone, gone = Lwt.wait ()

let serve _address (input, output) =
  incr connected;
  most := max !most !connected;
  let rec lines () =
    let* line = Lwt_io.read_line_opt input in
    match line with
    | None -> Lwt.return_unit
    | Some line ->
        let* () = Lwt_io.write_line output line in
        lines ()
  in
  let* () = lines () in
  decr connected;
  if !connected = 0 && !most = expected then Lwt.wakeup gone ();
  Lwt.return_unit

let () =
  Lwt_main.run
    (let address = Unix.ADDR_INET (Unix.inet_addr_any, 7) in
     let* _server = Lwt_io.establish_server_with_client_address ~backlog:128 address serve in
     let* () = Lwt_io.printl "listening" in
     let* () = all_gone in
     Lwt_io.printlf "%d at once" !most)
