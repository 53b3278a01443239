(** Mini-OS from OCaml: what a domain has beside files and sockets.

    What fails raises [Unix.Unix_error] with the name of the function. What waits lets other threads run, and has a descriptor for
    [Unix.select] and Lwt. Device names are those of the domain's store, [device/vbd/51712]. *)

(** Bytes outside of OCaml's heap, which the collector does not move, so that other domains may use them. *)
type buffer = (char, Bigarray.int8_unsigned_elt, Bigarray.c_layout) Bigarray.Array1.t

(** The console, past the buffers of channels. *)
module Console : sig
  val write : string -> unit
  val printf : ('a, unit, string, unit) format4 -> 'a
end

(** The machine's store. Paths that do not begin with [/] are the domain's own. *)
module Xenstore : sig
  type transaction

  (** The number of this domain. *)
  val domid : unit -> int

  (** Where a domain's nodes are. *)
  val domain_path : int -> string

  (** @raise Unix.Unix_error [ENOENT] and the like, with the path *)
  val read : ?transaction:transaction -> string -> string

  (** [None] where there is no such node. *)
  val read_opt : ?transaction:transaction -> string -> string option

  val write : ?transaction:transaction -> string -> string -> unit
  val mkdir : ?transaction:transaction -> string -> unit

  (** With all below it. *)
  val remove : ?transaction:transaction -> string -> unit

  (** Names, not paths. *)
  val directory : ?transaction:transaction -> string -> string list

  type access = Nothing | Read | Write | Read_write

  (** The owner may do all; the others what is said of them, or what is said of all. *)
  type permissions = { owner : int; others : access; domains : (int * access) list }

  val permissions : ?transaction:transaction -> string -> permissions
  val set_permissions : ?transaction:transaction -> string -> permissions -> unit

  (** All of it at once, and anew where somebody interferes. An exception ends the transaction without effect. *)
  val atomically : (transaction -> 'a) -> 'a

  type watch

  (** Of a node and all below it; its first event comes at once. *)
  val watch : string -> watch

  (** The path of the next event, which is waited for: for ever, or so many seconds. *)
  val next : ?timeout:float -> watch -> string option

  (** Readable while there are events. *)
  val descriptor : watch -> Unix.file_descr

  val unwatch : watch -> unit

  (** Waits until the function has an answer about a node's value. *)
  val wait_for : string -> (string option -> 'a option) -> 'a
end

(** Event channels. *)
module Event : sig
  type t

  (** A port that this domain may be connected to by that one. *)
  val listen : domid:int -> t

  (** To a port of another domain's. *)
  val connect : domid:int -> port:int -> t

  (** An interrupt of Xen's own. *)
  val of_virq : int -> t

  val port : t -> int
  val notify : t -> unit

  (** Whether an event has come since the last: waited for, for ever or so many seconds. *)
  val wait : ?timeout:float -> t -> bool

  (** Readable while there is an event. *)
  val descriptor : t -> Unix.file_descr

  val close : t -> unit
end

(** Pages, and what other domains may do with them. *)
module Grant : sig
  type reference = int

  val page_size : int

  (** So many pages, filled with zeros. *)
  val pages : int -> buffer

  (** Each page of a buffer of [pages]; they stay where they are until they are taken back. *)
  val share : domid:int -> writable:bool -> buffer -> reference list

  (** @raise Unix.Unix_error [EBUSY] while the other domain has a page mapped *)
  val take_back : reference list -> unit

  type mapping

  (** Consecutive pages of another domain's. *)
  val map : domid:int -> writable:bool -> reference list -> mapping

  (** Empty once it is unmapped. *)
  val contents : mapping -> buffer

  val unmap : mapping -> unit
end

(** Disks. *)
module Block : sig
  type t
  type info = { sectors : int64; sector_size : int; is_writable : bool }

  (** Waits for the back-end. *)
  val connect : string -> t

  (** Sectors are of 512 bytes, whatever the size that the disk prefers. *)
  val info : t -> info

  (** [read disk place buffer] fills the buffer with the bytes from that place on. *)
  val read : t -> int64 -> buffer -> unit

  val write : t -> int64 -> buffer -> unit

  (** Until all that is written is on the disk. *)
  val flush : t -> unit

  val disconnect : t -> unit
end

(** Network interfaces, frame by frame. *)
module Net : sig
  type t

  (** Waits for the back-end; [device/vif/0] unless it is said. *)
  val connect : ?device:string -> unit -> t

  (** Six bytes. *)
  val mac : t -> string

  (** What the tools gave it, if they did. *)
  val address : t -> string option

  (** The next frame, cut to the length. *)
  val read : ?timeout:float -> t -> bytes -> int -> int -> int option

  val write : t -> bytes -> int -> int -> unit

  (** Readable while there are frames. *)
  val descriptor : t -> Unix.file_descr

  val disconnect : t -> unit
end

(** A picture that somebody may see. *)
module Framebuffer : sig
  type t

  (** Row by row from the top, [0xRRGGBB]. *)
  type pixels = (int32, Bigarray.int32_elt, Bigarray.c_layout) Bigarray.Array2.t

  val connect : ?device:string -> width:int -> height:int -> unit -> t
  val pixels : t -> pixels

  (** Says that this part has changed. *)
  val update : t -> x:int -> y:int -> width:int -> height:int -> unit

  val update_all : t -> unit
  val disconnect : t -> unit
end

(** A keyboard and a pointer. *)
module Keyboard : sig
  type t

  (** Codes are those of Linux's input events. *)
  type event =
    | Key of { code : int; is_pressed : bool }
    | Motion of { x : int; y : int; wheel : int }
    | Position of { x : int; y : int; wheel : int }

  (** With motions of the pointer, or its positions. *)
  val connect : ?device:string -> ?positions:bool -> unit -> t

  (** What has come, the oldest first; waited for, if there is nothing, so many seconds: none, unless it is said. *)
  val events : ?timeout:float -> t -> event list

  (** Readable while there are events. *)
  val descriptor : t -> Unix.file_descr

  val disconnect : t -> unit
end
