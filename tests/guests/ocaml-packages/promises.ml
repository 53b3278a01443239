(* Lwt with Unix: sleepers, pipes, files by worker threads, detached work, errors. *)
open Lwt.Syntax

let sleeper name seconds =
  let* () = Lwt_unix.sleep seconds in
  Lwt_io.printl name

let through_pipe () =
  let reader, writer = Lwt_io.pipe () in
  let* () = Lwt.join [ Lwt_io.write_line writer "by pipe"; Lwt.pause () ] in
  let* () = Lwt_io.close writer in
  let* line = Lwt_io.read_line reader in
  Lwt_io.printl line

let through_file () =
  let* () = Lwt_io.with_file ~mode:Lwt_io.output "/tmp/words" (fun file -> Lwt_io.write file "in a file\n") in
  let* stat = Lwt_unix.stat "/tmp/words" in
  let* text = Lwt_io.with_file ~mode:Lwt_io.input "/tmp/words" Lwt_io.read in
  Lwt_io.printf "%d: %s" stat.Unix.st_size text

let detached () =
  let* sum = Lwt_preemptive.detach (fun n -> List.fold_left ( + ) 0 (List.init n succ)) 1000 in
  Lwt_io.printlf "%d" sum

let failing () =
  Lwt.catch
    (fun () -> Lwt.map ignore (Lwt_unix.openfile "/nowhere/at/all" [ Unix.O_RDONLY ] 0))
    (function
      | Unix.Unix_error (error, name, path) -> Lwt_io.printlf "%s: %s: %s" name path (Unix.error_message error)
      | other -> Lwt.fail other)

let () =
  Lwt_main.run
    (let* () = Lwt.join [ sleeper "last" 0.06; sleeper "first" 0.02; sleeper "second" 0.04 ] in
     let* () = through_pipe () in
     let* () = through_file () in
     let* () = detached () in
     let* () = failing () in
     let* late = Lwt.pick [ Lwt_unix.sleep 10.; Lwt.map ignore (Lwt_unix.sleep 0.01) ] in
     Lwt.return late)
