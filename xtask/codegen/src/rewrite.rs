//! What is changed in the generator's output before it is written.
//!
//! - `Debug` shows a value's shape and never its content: bodies carry keys'
//!   owners, customers and their words.
//! - Answers tolerate a missing field that is documented as nullable.
//! - A [`LooseObject`](../../famulor-gen) keeps the difference between absent,
//!   `null`, `[]` and `{}`, so it needs no `Option` around it.
//! - Answers can grow a field without breaking those who match on them.
//! - A path parameter is one segment of the path, whatever is in it.
//! - There is no constructor that follows redirects, gives up after 15 seconds, or panics.

use quote::ToTokens;
use syn::visit_mut::{self, VisitMut};
use syn::{Attribute, Field, Item, ItemStruct, Type, parse_quote};

/// Rewrites the types and client of `famulor-gen`.
pub(crate) fn types(mut file: syn::File) -> syn::File {
    Lenient.visit_file_mut(&mut file);
    drop_eager_constructor(&mut file.items);
    redact(&mut file.items, false);
    file
}

/// Has path parameters encoded by `famulor-gen`'s own function, which may refuse one.
pub(crate) fn guard_segments(code: &str) -> Result<String, String> {
    const CALL: &str = "encode_path (& ";
    const END: &str = ". to_string ())";
    let (first, calls) = code.split_once(CALL).ok_or_else(|| gone(CALL))?;
    let mut guarded = first.to_owned();
    for call in calls.split(CALL) {
        let (name, rest) = call.split_once(END).ok_or_else(|| gone(END))?;
        guarded.push_str(&format!(
            "crate :: segment :: path_segment (& {name}{END} . map_err (Error :: InvalidRequest) ?{rest}"
        ));
    }
    Ok(guarded)
}

/// Joins paths to a base URL that ends in a slash as to one that does not.
pub(crate) fn trim_base_url(code: &str) -> Result<String, String> {
    replace(
        code,
        "baseurl : baseurl . to_string ()",
        "baseurl : baseurl . trim_end_matches ('/') . to_string ()",
    )
}

/// Lets the mocks match below a base URL that ends in `/api`, as the real one
/// does, and generate-reply at both of its documented places.
pub(crate) fn loosen_paths(code: &str) -> Result<String, String> {
    let code = replace(code, "\"^/", "\"^(?:/api)?/")?;
    let code = replace(
        &code,
        "?/ai/generate-reply",
        "?(?:/user)?/ai/generate-reply",
    )?;
    // A path parameter is text, not a pattern, and comes as the client spells it. (Query parameters are compared as
    // they are, and come decoded.)
    replace(
        &code,
        "$\" , value . to_string ()",
        "$\" , regex :: escape (& :: famulor_gen :: path_segment (& value . to_string ()) . unwrap ())",
    )
}

/// Replaces what the generator is known to write; an error if it no longer
/// writes it, so that a new version cannot lose a guarantee in silence.
fn replace(code: &str, from: &str, to: &str) -> Result<String, String> {
    if !code.contains(from) {
        return Err(gone(from));
    }
    Ok(code.replace(from, to))
}

fn gone(what: &str) -> String {
    format!("the generator no longer writes `{what}`: adapt xtask/codegen/src/rewrite.rs")
}

/// Takes `Client::new` out: its HTTP client follows redirects with a billed message in hand and gives up after 15
/// seconds, and it panics where none can be made.
fn drop_eager_constructor(items: &mut [Item]) {
    for item in items {
        if let Item::Impl(block) = item
            && block.trait_.is_none()
            && text_of(&block.self_ty) == "Client"
        {
            block.items.retain(
                |item| !matches!(item, syn::ImplItem::Fn(method) if method.sig.ident == "new"),
            );
        }
    }
}

/// Loosens what the generator makes stricter than the backend is.
struct Lenient;

impl VisitMut for Lenient {
    fn visit_field_mut(&mut self, field: &mut Field) {
        // Public fields are those of the types; the builders' own are private.
        let public = matches!(field.vis, syn::Visibility::Public(_));
        if public && (is_loose_object(&field.ty) || is_optional_loose_object(&field.ty)) {
            let rename = rename_of(field);
            field.attrs.retain(|a| !a.path().is_ident("serde"));
            field.attrs.push(match rename {
                Some(name) => parse_quote!(#[serde(rename = #name, default, skip_serializing_if = "crate::LooseObject::is_absent")]),
                None => parse_quote!(#[serde(default, skip_serializing_if = "crate::LooseObject::is_absent")]),
            });
        }
        for attribute in &mut field.attrs {
            let text = attribute.to_token_stream().to_string();
            if text.contains("Option::deserialize") {
                *attribute = parse_quote!(#[serde(default)]);
            }
        }
        visit_mut::visit_field_mut(self, field);
    }

    fn visit_type_mut(&mut self, ty: &mut Type) {
        if is_optional_loose_object(ty) {
            *ty = parse_quote!(crate::LooseObject);
        }
        visit_mut::visit_type_mut(self, ty);
    }
}

fn text_of(ty: &Type) -> String {
    ty.to_token_stream().to_string().replace(' ', "")
}

fn is_loose_object(ty: &Type) -> bool {
    text_of(ty) == "crate::LooseObject"
}

fn is_optional_loose_object(ty: &Type) -> bool {
    text_of(ty) == "::std::option::Option<crate::LooseObject>"
}

fn rename_of(field: &Field) -> Option<syn::LitStr> {
    let mut rename = None;
    for attribute in field.attrs.iter().filter(|a| a.path().is_ident("serde")) {
        // Flags without a value make the parser stop; a rename comes first.
        let _ = attribute.parse_nested_meta(|meta| {
            if meta.path.is_ident("rename") {
                rename = Some(meta.value()?.parse()?);
            }
            Ok(())
        });
    }
    rename
}

/// Replaces every derived `Debug` of a struct.
fn redact(items: &mut Vec<Item>, is_types: bool) {
    let mut implementations = Vec::new();
    for item in items.iter_mut() {
        match item {
            Item::Mod(module) => {
                let types = module.ident == "types";
                if let Some((_, inner)) = &mut module.content {
                    redact(inner, types);
                }
            }
            Item::Struct(structure) => {
                if take_debug(&mut structure.attrs) {
                    implementations.push(shape(structure));
                }
                if is_types {
                    structure.attrs.push(
                        parse_quote!(#[cfg_attr(feature = "schemars", derive(::schemars::JsonSchema))]),
                    );
                    if matches!(structure.fields, syn::Fields::Named(_)) {
                        structure.attrs.push(parse_quote!(#[non_exhaustive]));
                    }
                }
            }
            _ => {}
        }
    }
    items.extend(implementations);
}

/// Takes `Debug` out of a derive list; says whether it was there.
fn take_debug(attributes: &mut [Attribute]) -> bool {
    let mut found = false;
    for attribute in attributes
        .iter_mut()
        .filter(|a| a.path().is_ident("derive"))
    {
        let mut rest = Vec::new();
        let _ = attribute.parse_nested_meta(|meta| {
            if meta
                .path
                .segments
                .last()
                .is_some_and(|s| s.ident == "Debug")
            {
                found = true;
            } else {
                rest.push(meta.path);
            }
            Ok(())
        });
        *attribute = parse_quote!(#[derive(#(#rest),*)]);
    }
    found
}

/// A `Debug` that names the type and stops there.
fn shape(structure: &ItemStruct) -> Item {
    let ident = &structure.ident;
    let name = ident.to_string();
    let (generics, arguments, condition) = structure.generics.split_for_impl();
    parse_quote! {
        impl #generics ::std::fmt::Debug for #ident #arguments #condition {
            fn fmt(&self, f: &mut ::std::fmt::Formatter<'_>) -> ::std::fmt::Result {
                f.debug_struct(#name).finish_non_exhaustive()
            }
        }
    }
}
