//! A small HTTP server that listens on PORT.
use std::io::{BufRead, BufReader, Result, Write};
use std::net::{TcpListener, TcpStream};
use std::{env, thread};

fn main() -> Result<()> {
    let port = env::var("PORT").unwrap_or_else(|_| "8080".into());
    let listener = TcpListener::bind(format!("0.0.0.0:{port}"))?;
    for stream in listener.incoming().flatten() {
        thread::spawn(move || {
            if let Err(error) = serve(stream) {
                eprintln!("{error}");
            }
        });
    }
    Ok(())
}

fn greeting(path: &str) -> String {
    let name = path.trim_start_matches('/');
    format!("Hello, {}!\n", if name.is_empty() { "world" } else { name })
}

/// Answers the requests of one connection until the client closes it.
fn serve(mut stream: TcpStream) -> Result<()> {
    let mut lines = BufReader::new(stream.try_clone()?).lines();
    while let Some(request) = lines.next().transpose()? {
        let body = greeting(request.split(' ').nth(1).unwrap_or("/"));
        while !matches!(lines.next().transpose()?.as_deref(), None | Some("")) {}
        write!(
            stream,
            "HTTP/1.1 200 OK\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Length: {}\r\n\r\n{body}",
            body.len()
        )?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    #[test]
    fn greets_by_name() {
        assert_eq!(super::greeting("/you"), "Hello, you!\n");
    }
}
