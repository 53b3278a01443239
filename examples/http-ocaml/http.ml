(* A web server: one page that counts its readers, until it is asked to stop. *)
let () = Sys.set_signal Sys.sigpipe Sys.Signal_ignore

let rec header channel = if String.trim (input_line channel) <> "" then header channel

let answer input output readers =
  let request = input_line input in
  header input;
  let body = Printf.sprintf "<h1>Hello, reader %d</h1>\n<p>You asked: %s</p>\n" readers (String.trim request) in
  Printf.fprintf output "HTTP/1.0 200 OK\r\nContent-Type: text/html\r\nContent-Length: %d\r\n\r\n%s%!"
    (String.length body) body;
  not (String.length request >= 9 && String.sub request 0 9 = "GET /stop")

let () =
  let listener = Unix.socket Unix.PF_INET Unix.SOCK_STREAM 0 in
  Unix.setsockopt listener Unix.SO_REUSEADDR true;
  Unix.bind listener (Unix.ADDR_INET (Unix.inet_addr_any, 80));
  Unix.listen listener 5;
  print_endline "listening on port 80";
  let rec serve readers =
    let client, _ = Unix.accept listener in
    let goes_on = answer (Unix.in_channel_of_descr client) (Unix.out_channel_of_descr client) readers in
    Unix.close client;
    if goes_on then serve (readers + 1) else print_endline "stopped"
  in
  serve 1
