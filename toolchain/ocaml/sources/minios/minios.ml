(* Mini-OS's C calls with OCaml's exceptions, threads and collector: waiting is select's, on their descriptors. *)
open Bigarray

type buffer = (char, int8_unsigned_elt, c_layout) Array1.t

(* Whether there is something, by a descriptor; a negative timeout waits for ever. *)
let rec is_readable ?(timeout = -1.) descriptor =
  match Unix.select [ descriptor ] [] [] timeout with
  | found, _, _ -> found <> []
  | exception Unix.Unix_error (Unix.EINTR, _, _) -> is_readable ~timeout descriptor

module Console = struct
  external write : string -> unit = "minios_caml_console_write"

  let printf format = Printf.ksprintf write format
end

module Xenstore = struct
  type handle = nativeint
  type transaction = int

  external open_ : unit -> handle = "minios_caml_xs_open"
  external close : handle -> unit = "minios_caml_xs_close"
  external fileno : handle -> Unix.file_descr = "minios_caml_xs_fileno"
  external domid : unit -> int = "minios_caml_xs_domid"
  external domain_path : int -> string = "minios_caml_xs_domain_path"
  external read_in : transaction -> string -> string = "minios_caml_xs_read"
  external write_in : transaction -> string -> string -> unit = "minios_caml_xs_write"
  external mkdir_in : transaction -> string -> unit = "minios_caml_xs_mkdir"
  external remove_in : transaction -> string -> unit = "minios_caml_xs_rm"
  external directory_in : transaction -> string -> string array = "minios_caml_xs_directory"
  external permissions_in : transaction -> string -> (int * int) array = "minios_caml_xs_get_permissions"
  external set_permissions_in : transaction -> string -> (int * int) array -> unit = "minios_caml_xs_set_permissions"
  external begin_ : unit -> transaction = "minios_caml_xs_transaction_start"
  external end_ : transaction -> bool -> unit = "minios_caml_xs_transaction_end"
  external watch_in : handle -> string -> unit = "minios_caml_xs_watch"
  external check_watch : handle -> string option = "minios_caml_xs_check_watch"

  (* What is in no transaction. *)
  let alone = 0

  let read ?(transaction = alone) path = read_in transaction path

  let read_opt ?transaction path =
    match read ?transaction path with
    | value -> Some value
    | exception Unix.Unix_error (Unix.ENOENT, _, _) -> None

  let write ?(transaction = alone) path value = write_in transaction path value
  let mkdir ?(transaction = alone) path = mkdir_in transaction path
  let remove ?(transaction = alone) path = remove_in transaction path
  let directory ?(transaction = alone) path = Array.to_list (directory_in transaction path)

  type access = Nothing | Read | Write | Read_write
  type permissions = { owner : int; others : access; domains : (int * access) list }

  (* By the bits XS_PERM_READ and XS_PERM_WRITE. *)
  let accesses = [| Nothing; Read; Write; Read_write |]
  let bits = function Nothing -> 0 | Read -> 1 | Write -> 2 | Read_write -> 3

  let permissions ?(transaction = alone) path =
    match Array.to_list (permissions_in transaction path) with
    | [] -> raise (Unix.Unix_error (Unix.EIO, "Minios.Xenstore.permissions", path))
    | (owner, others) :: domains ->
        let accessed = List.map (fun (domid, bits) -> (domid, accesses.(bits))) in
        { owner; others = accesses.(others); domains = accessed domains }

  let set_permissions ?(transaction = alone) path { owner; others; domains } =
    let all = (owner, others) :: domains in
    set_permissions_in transaction path (Array.of_list (List.map (fun (domid, one) -> (domid, bits one)) all))

  let rec atomically work =
    let transaction = begin_ () in
    match work transaction with
    | exception error ->
        let trace = Printexc.get_raw_backtrace () in
        (try end_ transaction true with Unix.Unix_error _ -> ());
        Printexc.raise_with_backtrace error trace
    | result -> (
        match end_ transaction false with
        | () -> result
        | exception Unix.Unix_error (Unix.EAGAIN, _, _) -> atomically work)

  type watch = { handle : handle; mutable is_open : bool }

  let opened ({ handle; is_open } : watch) =
    if not is_open then raise (Unix.Unix_error (Unix.EBADF, "Minios.Xenstore.watch", ""));
    handle

  let watch path =
    let handle = open_ () in
    match watch_in handle path with
    | () -> { handle; is_open = true }
    | exception error ->
        close handle;
        raise error

  let descriptor watch = fileno (opened watch)

  let next ?timeout watch =
    match check_watch (opened watch) with
    | Some _ as event -> event
    | None -> if is_readable ?timeout (descriptor watch) then check_watch (opened watch) else None

  let unwatch watch =
    if watch.is_open then begin
      watch.is_open <- false;
      close watch.handle
    end

  let wait_for path answer =
    let watch = watch path in
    let rec look () =
      ignore (next watch);
      match answer (read_opt path) with None -> look () | Some found -> found
    in
    Fun.protect ~finally:(fun () -> unwatch watch) look
end

module Event = struct
  type handle = nativeint

  external open_ : unit -> handle = "minios_caml_evtchn_open"
  external close_ : handle -> unit = "minios_caml_evtchn_close"
  external fileno : handle -> Unix.file_descr = "minios_caml_evtchn_fd"
  external bind_unbound : handle -> int -> int = "minios_caml_evtchn_bind_unbound"
  external bind_interdomain : handle -> int -> int -> int = "minios_caml_evtchn_bind_interdomain"
  external bind_virq : handle -> int -> int = "minios_caml_evtchn_bind_virq"
  external notify_port : handle -> int -> unit = "minios_caml_evtchn_notify"

  (* Whether there was an event, after which the port may have another. *)
  external take : handle -> bool = "minios_caml_evtchn_take"

  type t = { handle : handle; port : int; mutable is_open : bool }

  let opened { handle; is_open; _ } =
    if not is_open then raise (Unix.Unix_error (Unix.EBADF, "Minios.Event", ""));
    handle

  let bound bind =
    let handle = open_ () in
    match bind handle with
    | port -> { handle; port; is_open = true }
    | exception error ->
        close_ handle;
        raise error

  let listen ~domid = bound (fun handle -> bind_unbound handle domid)
  let connect ~domid ~port = bound (fun handle -> bind_interdomain handle domid port)
  let of_virq virq = bound (fun handle -> bind_virq handle virq)
  let port { port; _ } = port
  let notify event = notify_port (opened event) event.port
  let descriptor event = fileno (opened event)

  let wait ?timeout event =
    take (opened event) || (is_readable ?timeout (descriptor event) && take (opened event))

  let close event =
    if event.is_open then begin
      event.is_open <- false;
      close_ event.handle
    end
end

module Grant = struct
  type reference = int

  external page_size_ : unit -> int = "minios_caml_page_size"
  external pages : int -> buffer = "minios_caml_pages"
  external grant_ : int -> bool -> buffer -> int -> reference = "minios_caml_grant"
  external end_ : reference -> bool = "minios_caml_end_grant"
  external map_ : int -> bool -> reference array -> buffer = "minios_caml_map_grants"
  external unmap_ : buffer -> unit = "minios_caml_unmap_grants"

  let page_size = page_size_ ()

  (* The collector is to leave alone what others may use. *)
  let shared : (reference, buffer) Hashtbl.t = Hashtbl.create 16

  let share ~domid ~writable buffer =
    List.init (Array1.dim buffer / page_size) (fun page ->
        let reference = grant_ domid writable buffer (page * page_size) in
        Hashtbl.replace shared reference buffer;
        reference)

  let take_back references =
    let one reference =
      if Hashtbl.mem shared reference then begin
        if not (end_ reference) then
          raise (Unix.Unix_error (Unix.EBUSY, "Minios.Grant.take_back", string_of_int reference));
        Hashtbl.remove shared reference
      end
    in
    List.iter one references

  type mapping = buffer

  let map ~domid ~writable references = map_ domid writable (Array.of_list references)
  let contents mapping = mapping
  let unmap mapping = if Array1.dim mapping > 0 then unmap_ mapping
end

module Block = struct
  type info = { sectors : int64; sector_size : int; is_writable : bool }
  type t = { descriptor : Unix.file_descr; info : info }

  external connect_ : string -> Unix.file_descr * int64 * int * bool = "minios_caml_block_connect"
  external transfer : Unix.file_descr -> int64 -> buffer -> bool -> unit = "minios_caml_block_transfer"

  let connect device =
    let descriptor, sectors, sector_size, is_writable = connect_ device in
    { descriptor; info = { sectors; sector_size; is_writable } }

  let info { info; _ } = info
  let read { descriptor; _ } place buffer = transfer descriptor place buffer false
  let write { descriptor; _ } place buffer = transfer descriptor place buffer true
  let flush { descriptor; _ } = Unix.fsync descriptor
  let disconnect { descriptor; _ } = Unix.close descriptor
end

module Net = struct
  type t = { descriptor : Unix.file_descr; device : string }

  external tap : string -> Unix.file_descr = "minios_caml_net_open"

  let connect ?(device = "device/vif/0") () = { descriptor = tap device; device }

  let mac { device; _ } =
    let digits = String.split_on_char ':' (Xenstore.read (device ^ "/mac")) in
    String.concat "" (List.map (fun byte -> String.make 1 (Char.chr (int_of_string ("0x" ^ byte)))) digits)

  let address { device; _ } = Xenstore.read_opt (Xenstore.read (device ^ "/backend") ^ "/ip")

  let read ?timeout { descriptor; _ } bytes offset length =
    if is_readable ?timeout descriptor then
      match Unix.read descriptor bytes offset length with
      | count -> Some count
      | exception Unix.Unix_error ((Unix.EAGAIN | Unix.EWOULDBLOCK), _, _) -> None
    else None

  let write { descriptor; _ } bytes offset length = ignore (Unix.single_write descriptor bytes offset length)
  let descriptor { descriptor; _ } = descriptor
  let disconnect { descriptor; _ } = Unix.close descriptor
end

module Framebuffer = struct
  type pixels = (int32, int32_elt, c_layout) Array2.t
  type handle = nativeint
  type t = { handle : handle; pixels : pixels; mutable is_open : bool }

  external connect_ : string -> int -> int -> handle * pixels = "minios_caml_fb_connect"
  external update_ : handle -> int -> int -> int -> int -> unit = "minios_caml_fb_update"
  external disconnect_ : handle -> unit = "minios_caml_fb_disconnect"

  (* Whose pixels the back-end reads, whatever the program forgets. *)
  let seen : t list ref = ref []

  let connect ?(device = "device/vfb/0") ~width ~height () =
    let handle, pixels = connect_ device width height in
    let screen = { handle; pixels; is_open = true } in
    seen := screen :: !seen;
    screen

  let pixels { pixels; _ } = pixels

  let update { handle; is_open; _ } ~x ~y ~width ~height =
    if not is_open then raise (Unix.Unix_error (Unix.EBADF, "Minios.Framebuffer.update", ""));
    update_ handle x y width height

  let update_all screen =
    update screen ~x:0 ~y:0 ~width:(Array2.dim2 screen.pixels) ~height:(Array2.dim1 screen.pixels)

  let disconnect screen =
    if screen.is_open then begin
      screen.is_open <- false;
      seen := List.filter (fun other -> other != screen) !seen;
      disconnect_ screen.handle
    end
end

module Keyboard = struct
  type event =
    | Key of { code : int; is_pressed : bool }
    | Motion of { x : int; y : int; wheel : int }
    | Position of { x : int; y : int; wheel : int }

  type handle = nativeint
  type t = { handle : handle; descriptor : Unix.file_descr; mutable is_open : bool }

  external connect_ : string -> bool -> handle * Unix.file_descr = "minios_caml_kbd_connect"

  (* Kind as io/kbdif.h has it, and what follows. *)
  external receive : handle -> (int * int * int * int) array = "minios_caml_kbd_receive"

  let connect ?(device = "device/vkbd/0") ?(positions = false) () =
    let handle, descriptor = connect_ device positions in
    { handle; descriptor; is_open = true }

  let event = function
    | 1, x, y, wheel -> Some (Motion { x; y; wheel })
    | 3, is_pressed, code, _ -> Some (Key { code; is_pressed = is_pressed <> 0 })
    | 4, x, y, wheel -> Some (Position { x; y; wheel })
    | _ -> None

  let events ?(timeout = 0.) keyboard =
    if not keyboard.is_open then raise (Unix.Unix_error (Unix.EBADF, "Minios.Keyboard.events", ""));
    if is_readable ~timeout keyboard.descriptor then
      List.filter_map event (Array.to_list (receive keyboard.handle))
    else []

  let descriptor { descriptor; _ } = descriptor

  let disconnect keyboard =
    if keyboard.is_open then begin
      keyboard.is_open <- false;
      Unix.close keyboard.descriptor
    end
end
